// The public door of the package: start a host inside another program. Everything else is private.

export { ConfigError, readConfig, type Config } from "./config.js";
export { startHost, type Host, type HostLog, type HostOptions } from "./main.js";
