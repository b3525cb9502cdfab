/** Folder of the runbooks, for links; a fork changes it here. */
export const RUNBOOKS = 'https://github.com/omendb/omendb-server/blob/main/alerts/runbooks';
