export type * from "./lib/types";
export { MAX_IDS_PER_LISTENER } from "./lib/types";
