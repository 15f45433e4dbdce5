// What the page knows: people, channels, messages, what is unread.

import { look } from "./api.js";

export class Store {
  constructor() {
    this.me = "";
    this.users = new Map();
    this.channels = new Map();
    this.messages = new Map();
    this.ephemerals = new Map();
    this.statuses = new Map();
    this.unread = new Map();
    this.homes = {};
    this.state = null;
  }

  /** Read everything anew, as one user sees it. */
  async load() {
    const state = await look("state");
    this.state = state;
    this.me = this.me || state.me;
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.channels = new Map();
    for (const channel of state.channels) if (this.mayRead(channel)) this.channels.set(channel.id, channel);
    const ids = [...this.channels.keys()];
    const [ephemerals, ...pages] = await Promise.all([
      look("ephemerals", { user: this.me }),
      ...ids.map((id) => look("messages", { channel: id, user: this.me })),
    ]);
    this.messages = new Map(pages.map((page) => [page.channel, byTs(page.messages)]));
    this.ephemerals = new Map();
    for (const message of ephemerals.messages) this.keepEphemeral(message);
    this.statuses = new Map(state.statuses.map((row) => [`${row.channel}/${row.thread_ts}`, row.status]));
    this.homes = state.homes;
    this.modals = state.modals.filter((row) => row.user === this.me);
  }

  /** Whether a conversation is this user's to see: direct messages belong to one person. */
  mayRead(channel) {
    if (channel.is_im) return channel.user === this.me;
    return !channel.is_private || channel.members.includes(this.me);
  }

  keep(channel, message) {
    if (!this.messages.has(channel)) this.messages.set(channel, new Map());
    this.messages.get(channel).set(message.ts, message);
  }

  keepEphemeral(message) {
    if (!this.ephemerals.has(message.channel)) this.ephemerals.set(message.channel, new Map());
    this.ephemerals.get(message.channel).set(message.ts, message);
  }

  /** What a channel shows, oldest first: no replies, ephemeral messages among the rest. */
  inChannel(channel) {
    const replies = (message) => message.thread_ts && message.thread_ts !== message.ts && message.subtype !== "thread_broadcast";
    return this.sorted(channel).filter((message) => !replies(message));
  }

  /** What a thread shows, the parent first. */
  inThread(channel, ts) {
    return this.sorted(channel).filter((message) => message.ts === ts || message.thread_ts === ts);
  }

  sorted(channel) {
    const all = [...(this.messages.get(channel) || new Map()).values(), ...(this.ephemerals.get(channel) || new Map()).values()];
    return all.sort((one, other) => Number(one.ts) - Number(other.ts));
  }

  /** The user's direct message with the bot, or undefined. */
  botChannel() {
    return [...this.channels.values()].find((channel) => channel.is_im && channel.user === this.me);
  }
}

function byTs(messages) {
  return new Map(messages.map((message) => [message.ts, message]));
}
