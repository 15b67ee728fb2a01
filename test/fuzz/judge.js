// What an answer may never be: something other than JSON-RPC, a defect of ours (INTERNAL), or one that
// shows a secret, SQL or a stack. Keeps the first offenders, and counts everything.

const leaks = /\n\s+at |node_modules|\.ts:\d|\.js:\d+:\d+|PostgresError|syntax error at|\bselect .* from agent_|insert into |pg_catalog|relation \\?"/i;

/** @typedef {{ breach: string, sent: string, answer: string }} Offence */

/** @param {readonly string[]} secrets */
export function createJudge(secrets) {
  /** @type {Offence[]} */
  const offences = [];
  /** @type {Map<string, number>} */
  const codes = new Map();
  const count = (/** @type {string} */ name) => codes.set(name, (codes.get(name) ?? 0) + 1);

  /** @param {string} breach @param {string} sent @param {string} answer */
  const offend = (breach, sent, answer) => {
    count(`BREACH ${breach}`);
    if (offences.length < 20) {
      offences.push({ breach, sent: sent.slice(-1000), answer: answer.slice(0, 1000) });
    }
  };

  /** @param {any} one @param {string} sent @param {string} text */
  function judgeOne(one, sent, text) {
    if (one === null || typeof one !== "object" || one.jsonrpc !== "2.0") {
      return offend("is no JSON-RPC", sent, text);
    }
    if (typeof one.method === "string") return count(`notification ${one.method}`);
    if (("result" in one) === ("error" in one)) return offend("neither or both", sent, text);
    if ("result" in one) return count("ok");
    const { code, message, data } = one.error;
    count(String(data?.code));
    if (!Number.isInteger(code) || typeof message !== "string" || typeof data?.code !== "string") {
      return offend("an error of another shape", sent, text);
    }
    if (data.code === "INTERNAL") offend(data.code, sent, text);
    if (leaks.test(JSON.stringify(one.error))) offend("shows our insides", sent, text);
  }

  return {
    offences,
    codes,
    /** @param {string} text @param {string} sent what was last sent on the connection */
    judge(text, sent) {
      let answer;
      try {
        answer = JSON.parse(text);
      } catch {
        return offend("is no JSON", sent, text);
      }
      // Who is told its own token has just been given it, or has sent it itself.
      for (const secret of secrets) {
        if (text.includes(secret) && !sent.includes(secret)) offend("shows a secret", sent, text);
      }
      if (Array.isArray(answer) && answer.length === 0) return offend("an empty batch", sent, text);
      for (const one of Array.isArray(answer) ? answer : [answer]) judgeOne(one, sent, text);
    },
    offend,
    count,
  };
}
