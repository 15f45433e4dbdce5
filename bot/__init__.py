"""The Slack edge, the schedule, the command line, and the one place where all is wired.

Only this package may import Slack's libraries or APScheduler, read the environment, or know how
the other packages fit together.
"""
