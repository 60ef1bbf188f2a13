package main

import (
	"errors"
	"fmt"
	"net/http"
	"sort"
	"sync"
)

const (
	atStart    = 1000 // pieces of each item
	mostOfOne  = 1000 // pieces of one item in one order or basket
	mostKept   = 2000 // orders, and baskets, remembered by id
	noSuchItem = "the shop has no such item"
)

// The items of chandlery/goods.py.
var goods = []string{"chart-coast", "chart-harbour", "lamp-anchor", "lamp-side", "rope-12", "rope-20"}

// shelves counts goods and keeps baskets; the lock makes it one writer.
type shelves struct {
	lock    sync.Mutex
	counts  map[string]int
	taken   keeper[bool]
	baskets keeper[map[string]int]
}

func newShelves() *shelves {
	counts := map[string]int{}
	for _, item := range goods {
		counts[item] = atStart
	}
	return &shelves{counts: counts, taken: newKeeper[bool](), baskets: newKeeper[map[string]int]()}
}

func (s *shelves) register(pages *http.ServeMux) {
	pages.HandleFunc("GET /stock", s.all)
	pages.HandleFunc("GET /stock/{item}", s.one)
	pages.HandleFunc("POST /take", s.take)
	pages.HandleFunc("GET /baskets/{id}", s.basket)
	pages.HandleFunc("POST /baskets/{id}", s.fill)
}

func (s *shelves) all(w http.ResponseWriter, _ *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	answer(w, 200, map[string]any{"stock": s.counts})
}

func (s *shelves) one(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	count, found := s.counts[r.PathValue("item")]
	if !found {
		problem(w, 404, noSuchItem)
		return
	}
	answer(w, 200, map[string]any{"id": r.PathValue("item"), "count": count})
}

type order struct {
	Order string         `json:"order"`
	Items map[string]int `json:"items"`
}

// take takes an order's goods once, however often it is asked.
func (s *shelves) take(w http.ResponseWriter, r *http.Request) {
	var wish order
	if err := readBody(r, &wish); err != nil {
		problem(w, 400, err.Error())
		return
	}
	if err := checkID(wish.Order, "order"); err != nil {
		problem(w, 400, err.Error())
		return
	}
	if err := s.check(wish.Items); err != nil {
		problem(w, 400, err.Error())
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if _, done := s.taken.get(wish.Order); !done {
		if short := s.shortOf(wish.Items); short != "" {
			problem(w, 409, "sold out: "+short)
			return
		}
		for item, pieces := range wish.Items {
			s.counts[item] -= pieces
		}
		s.taken.keep(wish.Order, true)
	}
	answer(w, 200, map[string]any{"order": wish.Order, "taken": true})
}

func (s *shelves) shortOf(items map[string]int) string {
	names := make([]string, 0, len(items))
	for item := range items {
		names = append(names, item)
	}
	sort.Strings(names)
	for _, item := range names {
		if s.counts[item] < items[item] {
			return item
		}
	}
	return ""
}

func (s *shelves) basket(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	items, found := s.baskets.get(r.PathValue("id"))
	if !found {
		problem(w, 404, "no such basket")
		return
	}
	answer(w, 200, map[string]any{"basket": r.PathValue("id"), "items": items})
}

func (s *shelves) fill(w http.ResponseWriter, r *http.Request) {
	var wish order
	id := r.PathValue("id")
	if err := readBody(r, &wish); err != nil {
		problem(w, 400, err.Error())
		return
	}
	if err := checkID(id, "basket"); err != nil {
		problem(w, 400, err.Error())
		return
	}
	if err := s.check(wish.Items); err != nil {
		problem(w, 400, err.Error())
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	filled := map[string]int{}
	known, _ := s.baskets.get(id)
	for item, pieces := range known {
		filled[item] = pieces
	}
	for item, pieces := range wish.Items {
		filled[item] += pieces
	}
	s.baskets.keep(id, filled)
	answer(w, 200, map[string]any{"basket": id, "items": filled})
}

// check refuses what is no order; its error is a sentence for the client.
func (s *shelves) check(items map[string]int) error {
	if len(items) == 0 {
		return errors.New(`items: send a map from item to number, such as {"rope-12": 1}`)
	}
	for item, pieces := range items {
		if _, known := s.counts[item]; !known { // the set of keys never changes: no lock needed
			return fmt.Errorf("items: the shop has no %.40q", item)
		}
		if pieces < 1 || pieces > mostOfOne {
			return fmt.Errorf("items: %s must be a whole number from 1 to %d", item, mostOfOne)
		}
	}
	return nil
}

func checkID(id, what string) error {
	if id == "" || safeToken(id) != id {
		return fmt.Errorf("%s: send an id of your own, up to 64 letters, digits, dots and dashes", what)
	}
	return nil
}

// keeper remembers values by name; when there are too many, the oldest goes.
type keeper[V any] struct {
	values map[string]V
	names  []string // in the order they came
}

func newKeeper[V any]() keeper[V] {
	return keeper[V]{values: map[string]V{}}
}

func (k *keeper[V]) get(name string) (V, bool) {
	value, found := k.values[name]
	return value, found
}

func (k *keeper[V]) keep(name string, value V) {
	if _, known := k.values[name]; !known {
		if len(k.names) >= mostKept {
			delete(k.values, k.names[0])
			k.names = append([]string(nil), k.names[1:]...)
		}
		k.names = append(k.names, name)
	}
	k.values[name] = value
}
