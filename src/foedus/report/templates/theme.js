(function(){var d=document.documentElement,k="foedus-theme",b=document.getElementById("theme"),o=["auto","dark","light"],t="auto";
function g(){try{return localStorage.getItem(k)}catch(e){return null}}
function s(v){t=v;if(v==="auto"){d.removeAttribute("data-theme")}else{d.setAttribute("data-theme",v)}b.textContent="Theme: "+v;try{localStorage.setItem(k,v)}catch(e){}}
b.hidden=false;s(o.indexOf(g())>=0?g():"auto");
b.addEventListener("click",function(){s(o[(o.indexOf(t)+1)%3])})})();
