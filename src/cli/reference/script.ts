// What the page can do beyond showing itself: filter, mark where the reader is, unfold for print.
// Without it everything can still be read.

export const script = `
(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const search = document.getElementById("search");
  const nothing = document.getElementById("nothing");
  const menu = document.getElementById("menu");
  const groups = all(".group").map((group) => ({
    group,
    chapter: document.getElementById(group.querySelector(".title").hash.slice(1)),
    items: all("li", group).map((item) => {
      const link = item.firstChild;
      return { item, link, part: document.getElementById(decodeURIComponent(link.hash.slice(1))) };
    }),
  }));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let found = 0;
    for (const { group, chapter, items } of groups) {
      let own = 0;
      for (const { item, part } of items) {
        const fits = words.every((word) => part.dataset.find.includes(word));
        item.hidden = part.hidden = !fits;
        if (fits) own += 1;
      }
      const fits = words.length === 0 || own > 0;
      group.hidden = chapter.hidden = !fits;
      found += own;
    }
    nothing.hidden = words.length === 0 || found > 0;
  };
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    const first = all(".group:not([hidden]) li:not([hidden]) a")[0];
    if (event.key === "Enter" && first) location.hash = first.hash;
    if (event.key !== "Escape") return;
    search.value = "";
    filter();
    search.blur();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    menu.checked = true;
    search.focus();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || !link.hash) return;
    if (link.closest("nav")) menu.checked = false;
    const part = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!part || !part.closest("[hidden]")) return;
    search.value = "";
    filter();
  });
  const links = groups.flatMap(({ items }) => items);
  let here = null;
  const mark = (link) => {
    if (link === here) return;
    if (here) here.classList.remove("here");
    here = link;
    if (!here) return;
    here.classList.add("here");
    if (getComputedStyle(menu).display === "none") here.scrollIntoView({ block: "nearest" });
  };
  const seen = new Set();
  const watch = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    const first = links.find(({ part }) => seen.has(part));
    mark(first ? first.link : null);
  }, { rootMargin: "-10% 0px -70% 0px" });
  for (const { part } of links) watch.observe(part);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => folded.forEach((one) => (one.open = false)));
})();
`;
