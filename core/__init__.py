"""What every package uses: values that cross a border, and pure functions over text and time.

Nothing here does I/O, reads the environment or imports another package of this project.
"""
