// How the page looks: one column of text beside its contents, light or dark as the reader's system
// is, and black on white with everything unfolded on paper.

export const style = `
:root{--text:#1c2128;--dim:#59636e;--back:#fff;--soft:#f5f6f8;--line:#d9dee4;--link:#0b5cad;
--accent:#0b5cad;--string:#0a6b3d;--number:#9a4b00;--key:#4b3ba6;--must:#b42318;--mark:#fff4cc}
@media(prefers-color-scheme:dark){:root{--text:#dde3ea;--dim:#95a1af;--back:#12161c;--soft:#1a2028;
--line:#2c3541;--link:#7cb7ff;--accent:#7cb7ff;--string:#7fd6a3;--number:#f0b072;--key:#b8adff;
--must:#ff9a8d;--mark:#3a3212}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;color:var(--text);background:var(--back);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
code,pre,h3 a,.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",
monospace}
code{font-size:.88em}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--back);z-index:3}
nav{position:fixed;inset:0 auto 0 0;width:17.5rem;overflow-y:auto;padding:1.1rem 1rem 3rem 1.4rem;
border-right:1px solid var(--line);background:var(--soft);font-size:.9rem}
.brand{display:block;font-weight:700;font-size:1.15rem;color:var(--text)}
.brand span{font-weight:400;color:var(--dim);font-size:.85rem}
#menu,label[for=menu]{display:none}
#search{width:100%;margin:.9rem 0 .6rem;padding:.45rem .6rem;font:inherit;color:inherit;
background:var(--back);border:1px solid var(--line);border-radius:6px}
#nothing{color:var(--dim)}
.group{margin:.75rem 0}
.group .title{color:var(--text);font-weight:600}
.group ul{list-style:none;margin:.15rem 0 0;padding:0}
.group li a{display:block;padding:.1rem .5rem;margin-left:-.5rem;border-radius:5px;color:var(--dim);
overflow-wrap:anywhere}
.group li a:hover{color:var(--text)}
.group a.here{color:var(--accent);font-weight:600;background:var(--back)}
main{margin-left:17.5rem;padding:2rem 2.5rem 4rem;max-width:72rem}
h1{font-size:2rem;line-height:1.2;margin:.2rem 0 1rem}
h2{font-size:1.5rem;line-height:1.25;margin:3.5rem 0 .6rem;padding-top:1.2rem;
border-top:2px solid var(--line)}
h2.small{font-size:1.1rem;border:0;margin:1.6rem 0 .4rem;padding:0}
h3{font-size:1.2rem;margin:0 0 .3rem;overflow-wrap:anywhere}
h3 a{color:inherit}
.lead{color:var(--dim);max-width:46rem;margin:.3rem 0 1.2rem}
.steps{padding-left:1.1rem;max-width:46rem}.steps li{margin:.35rem 0}
.method{margin:0 0 1.2rem;padding:1.5rem 0 .8rem;border-top:1px solid var(--line)}
.chapter>.method:first-of-type{border-top:0;padding-top:.4rem}
.method:target h3 a,tr:target td{background:var(--mark)}
.summary{margin:0 0 .9rem;max-width:46rem}
dl{display:grid;grid-template-columns:5rem minmax(0,1fr);gap:.55rem 1rem;margin:0}
dt{color:var(--dim);font-size:.85rem;padding-top:.12rem}
dd{margin:0;min-width:0}dd>ul{margin:0;padding-left:1.1rem}
.wide{overflow-x:auto;margin:0 0 .6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{text-align:left;font-weight:600;color:var(--dim);font-size:.8rem}
th,td{padding:.38rem .9rem .38rem 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{padding-top:0}
td:first-child{white-space:nowrap;width:1%}
td.type{min-width:11rem;width:30%}
.two td:first-child{white-space:normal;width:55%}
td.number,td.number+td{white-space:nowrap}
.must{color:var(--must);font-weight:600;font-size:.75rem}
.bounds,.or{color:var(--dim);font-size:.85em}
.fields{margin:.3rem 0 0;line-height:1.75;color:var(--dim)}.fields code{margin-right:.35rem}
.code{display:inline-block;margin:0 .15rem .25rem 0;padding:.02rem .45rem;border-radius:5px;
border:1px solid var(--line);background:var(--soft);color:var(--text);
font-size:.74rem;line-height:1.6}
figure{margin:1rem 0 .6rem}
figcaption{font-size:.9rem;margin:0 0 .35rem}
.by{color:var(--dim);font-size:.88em}
pre{margin:0;padding:.8rem 1rem;overflow-x:auto;background:var(--soft);border:1px solid var(--line);
border-radius:8px;font-size:.8rem;line-height:1.5;tab-size:2}
pre .by{font-size:inherit}
pre b{color:var(--dim);font-weight:400}
pre i{font-style:normal}.k{color:var(--key)}.s{color:var(--string)}.n{color:var(--number)}
summary{cursor:pointer;color:var(--link)}
.more{margin:.5rem 0;font-size:.9rem}
td summary{display:inline;font-size:.85em}td details{display:inline}
td details[open]{display:block}
td details ul,.list{margin:.3rem 0;padding-left:1.1rem}.list li{margin:.2rem 0}
.branch{margin:0 0 1rem}
footer{margin-top:4rem;color:var(--dim);font-size:.85rem}
[hidden]{display:none!important}
@media(max-width:56rem){
html{scroll-padding-top:4rem}
nav{position:sticky;top:0;width:auto;max-height:100vh;padding:.6rem 1rem;border-right:0;
border-bottom:1px solid var(--line);z-index:2}
.top{display:flex;justify-content:space-between;align-items:center}
label[for=menu]{display:block;cursor:pointer;padding:.25rem .7rem;border:1px solid var(--line);
border-radius:6px;background:var(--back)}
#menu{display:block;position:absolute;opacity:0}
#menu:focus-visible+label{outline:2px solid var(--accent)}
.menu{display:none}
nav:has(#menu:checked) .menu{display:block;max-height:75vh;overflow-y:auto}
main{margin-left:0;padding:1.2rem 1rem 3rem}
h1{font-size:1.6rem}h2{font-size:1.3rem;margin-top:2.5rem}
dl{grid-template-columns:minmax(0,1fr);gap:.15rem}dt{margin-top:.6rem}
table,thead,tbody,tr,td{display:block}thead{display:none}
tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
td{padding:.05rem 0;border:0}td:first-child,td.number+td{white-space:normal;width:auto}
td.type{width:auto;font-size:.85rem}td.number{display:inline;margin-right:.5rem;color:var(--dim)}
td.number+td{display:inline}
td.retry::before{content:"retry: ";color:var(--dim)}
.two td:first-child{width:auto;color:var(--dim)}
pre{font-size:.74rem;padding:.7rem}
}
@media print{
:root{--text:#000;--dim:#444;--back:#fff;--soft:#fff;--line:#bbb;--link:#000;--accent:#000;
--string:#000;--number:#000;--key:#000;--must:#000;--mark:#fff}
nav,.skip{display:none}main{margin:0;padding:0;max-width:none}body{font-size:10pt}
pre,tr,figure{break-inside:avoid}h2,h3{break-after:avoid}pre{white-space:pre-wrap}
}
`;
