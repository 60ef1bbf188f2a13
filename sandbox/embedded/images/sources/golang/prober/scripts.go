package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// visit is one customer on the way: to whom, until when, and where it is noted.
type visit struct {
	load  *load
	ctx   context.Context
	tally *tally
}

// script is what each customer of a load does. Arrive decides by chance, in
// the order of arrival, so that one seed always gives the same customers.
type script struct {
	requests int
	arrive   func(n int, chance *rand.Rand) func(visit)
}

// items are those the shop has always sold.
var items = []string{"rope-12", "rope-20", "lamp-anchor", "lamp-side", "chart-harbour", "chart-coast"}

var scripts = map[string]*script{
	"": {1, func(int, *rand.Rand) func(visit) {
		return func(v visit) { v.ask(http.MethodGet, "", "", "") }
	}},
	"browse": {1, func(int, *rand.Rand) func(visit) {
		return func(v visit) { v.ask(http.MethodGet, "/items", "", "") }
	}},
	// A basket that was taken and cannot be read back is lost.
	"basket": {2, func(_ int, chance *rand.Rand) func(visit) {
		item, cookie := items[chance.IntN(len(items))], fmt.Sprintf("basket=%016x", chance.Uint64())
		return func(v visit) {
			put, ok := v.ask(http.MethodPost, "/api/basket", fmt.Sprintf(`{"item":%q,"n":1}`, item), cookie)
			if !ok || put.status >= 400 {
				return
			}
			got, ok := v.ask(http.MethodGet, "/api/basket", "", cookie, http.StatusNotFound)
			unknown := got.status == http.StatusNotFound
			if ok && (unknown || got.status < 400 && !strings.Contains(got.body, `"`+item+`"`)) {
				v.tally.lose()
			}
		}
	}},
	"order": {1, func(_ int, chance *rand.Rand) func(visit) {
		order := fmt.Sprintf(`{"id":"%016x","items":{%q:1}}`, chance.Uint64(), items[chance.IntN(len(items))])
		return func(v visit) { v.ask(http.MethodPost, "/api/orders", order, "") }
	}},
}

// ask sends one request and notes its outcome; false when no answer of the
// sandbox came. An empty path is the load's own; a status of `fine` is no
// failure although it is 400 or more.
func (v visit) ask(method, path, body, cookie string, fine ...int) (answer, bool) {
	ctx, cancel := context.WithTimeout(v.ctx, v.load.timeout())
	defer cancel()
	asked := question{method: method, url: withPath(v.load.HTTP, path), body: body, cookie: cookie, nonce: newNonce()}
	if body != "" {
		asked.headers = map[string]string{"Content-Type": "application/json"}
	}
	sent := time.Now()
	heard, err := asked.ask(ctx)
	if v.ctx.Err() != nil {
		return heard, false // the load was called off
	}
	v.tally.note(asked.nonce, heard, err, milliseconds(sent), fine)
	return heard, err == nil && heard.nonce == asked.nonce
}

// withPath replaces the path of an address that was checked before.
func withPath(address, path string) string {
	parsed, err := url.Parse(address)
	if path == "" || err != nil {
		return address
	}
	return parsed.Scheme + "://" + parsed.Host + path
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
