/** What can serve: an id and what is known of it. */
export interface Version {
  readonly id: string;
  readonly commit?: string;
  readonly artifact?: string;
  readonly dataset?: string;
  /** Input or feature schema; two versions with different ones are not interchangeable. */
  readonly signature?: string;
  readonly changelogUrl?: string;
}
