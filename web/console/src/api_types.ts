/** The records of the REST API as the console reads them. Times are ms since 1970. */

export type TokenRole =
  | "viewer"
  | "operator"
  | "supervisor"
  | "admin"
  | "program"
  | "enroller"
  | "guest";
export type AccountRole = "viewer" | "operator" | "supervisor" | "admin";

/** A role on some robots of one service. */
export interface Access {
  readonly serviceId: string;
  readonly role: TokenRole;
  readonly robotId?: string | null;
  readonly tag?: string;
}

export interface Me {
  readonly kind: "open" | "user" | "token" | "guest" | "code";
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly access: readonly Access[];
  readonly expiresMs: number | null;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
}

export interface AuthInfo {
  readonly mode: "open" | "accounts";
  readonly needsSetup: boolean;
  readonly providers: readonly Provider[];
  readonly demo: boolean;
  readonly limited: boolean;
}

interface Stored {
  readonly version: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface Service extends Stored {
  readonly serviceId: string;
  readonly name: string;
  readonly status: "new" | "active" | "inactive";
  readonly robotId: string | null;
  readonly controlName: string;
  /** Empty for those who may not manage the service. */
  readonly token: string;
  readonly robots: number;
}

export const ROOM_TYPES = ["video", "audio", "text", "binary", "local_rtc", "cloud_rtc"] as const;

export interface Room extends Stored {
  readonly roomId: number;
  readonly name: string;
  readonly alias: string;
  readonly type: (typeof ROOM_TYPES)[number];
  readonly hasToken: boolean;
  readonly maxUsers: number;
  readonly maxDurationS: number;
  readonly members: readonly unknown[];
}

export interface Session {
  readonly sessionId: string;
  readonly robotId: string;
  readonly member: { readonly id: string; readonly name: string; readonly role: string };
  readonly state: string;
  readonly sinceMs: number;
}

export interface Member {
  readonly memberId: string;
  readonly name: string;
  readonly role: string;
  readonly robotId: string | null;
  readonly room: string | null;
  readonly principal: string;
  readonly sinceMs: number;
}

export interface Enrolment {
  readonly enrolmentId: string;
  readonly kind: "code" | "key" | "request";
  readonly hint: string;
  readonly serviceId: string;
  readonly robotId: string | null;
  readonly name: string;
  readonly model: string;
  readonly architecture: string;
  readonly tags: readonly string[];
  readonly usesLeft: number;
  readonly status: "open" | "approved" | "denied" | "used" | "revoked" | "expired";
  readonly expiresMs: number;
  readonly createdBy: string;
  readonly address: string;
  readonly createdMs: number;
}

export interface NewEnrolment extends Enrolment {
  /** Shown once. */
  readonly code: string;
  readonly line: string;
}

export interface User extends Stored {
  readonly userId: string;
  readonly name: string;
  readonly role: AccountRole;
  readonly access: readonly Access[];
  readonly isDisabled: boolean;
  readonly hasPassword: boolean;
  readonly oidc: string;
}

export interface Token extends Stored {
  readonly tokenId: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly access: readonly Access[];
  readonly expiresMs: number | null;
  readonly lastUsedMs: number;
  readonly isRevoked: boolean;
  readonly createdBy: string;
}

export interface NewToken extends Token {
  readonly secret: string;
}

export interface GuestLink {
  readonly tokenId: string;
  readonly url: string;
  readonly expiresMs: number;
}

export interface AuditEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly actor: string;
  readonly actorName: string;
  readonly action: string;
  readonly result: string;
  readonly serviceId: string;
  readonly robotId: string;
  readonly target: string;
  readonly address: string;
  readonly detail: Readonly<Record<string, string>>;
}

export const WEBHOOK_EVENTS = [
  "robot.online",
  "robot.offline",
  "robot.stopped",
  "control.taken",
  "battery.low",
  "robot.enrolled",
] as const;

export interface Webhook extends Stored {
  readonly webhookId: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly serviceId: string | null;
  readonly isEnabled: boolean;
  readonly lastStatus: number;
  readonly lastMs: number;
  readonly lastError: string;
}

export interface NewWebhook extends Webhook {
  readonly secret: string;
}

/** A robot as a record: what the list of robots says besides its manifest and status. */
export interface RobotRecord {
  readonly robotId: string;
  readonly serviceId: string;
  readonly name: string;
  readonly online: boolean;
  readonly lastSeenMs: number | null;
  readonly tags?: readonly string[];
  readonly groups?: readonly string[];
  readonly model?: string;
  readonly architecture?: string;
  readonly software?: string;
  readonly enrolled?: boolean;
  readonly revoked?: boolean;
  readonly homeId?: string;
  readonly offlineReason?: string;
  readonly version?: number;
}
