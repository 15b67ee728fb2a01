// Takes secrets out of a text that leaves the host: a log line, an error answer, the id of a
// request in a span. No floor writes a secret on purpose; this is for one that a caller put where
// it does not belong, or that a library repeats. Plugin tokens keep their key id. Called by main.

export type HideSecrets = (text: string) => string;

const hidden = "[hidden]";

/** Plugin tokens, and the administrator's that the host makes. */
const tokens = /\b(rh_(?:[0-9a-f]{16}|admin)_)[0-9a-f]{8,}/gi;
const bearer = /\b(bearer\s+)[^\s"\\,;]+/gi;
const passwords = /(\/\/[^\s:/@"]*:)[^\s/"]+(?=@)/g;
/** A claim token looks like any other id; its name tells. Quotes may be escaped, more than once. */
const members = /("(?:claim_token|token|authorization)\\*"\s*:\s*\\*")[^"\\]+/gi;

/** Shorter ones would be found within ordinary words. */
const knownCharactersMin = 12;

/** `known` are secrets of no form of their own. */
export function createSecretHider(known: readonly (string | null)[]): HideSecrets {
  const whole = known
    .filter((secret) => secret !== null && secret.length >= knownCharactersMin)
    .flatMap((secret) => [secret!, JSON.stringify(secret).slice(1, -1)]);
  return (text) => {
    const shaped = [tokens, bearer, passwords, members].reduce(
      (left, pattern) => left.replace(pattern, `$1${hidden}`), text,
    );
    return whole.reduce((left, secret) => left.replaceAll(secret, hidden), shaped);
  };
}
