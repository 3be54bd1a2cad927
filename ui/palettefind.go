package ui

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sahilm/fuzzy"
)

// looseLetters is the longest word for which the letters of an object's name
// may lie anywhere in it. Commands are few and may be found by any letters;
// of hundreds of names some have the letters of any word.
const looseLetters = 2

// named keeps of the hits the commands, and the objects in whose name every
// word of the query is: in one piece, or as the beginnings of its words.
func (p *palette) named(found []fuzzy.Match) []fuzzy.Match {
	words := strings.Fields(strings.ToLower(p.query.text))
	out := found[:0]
	for _, m := range found {
		if it := &p.items[m.Index]; it.object {
			at, ok := wordsIn(strings.ToLower(it.title), words, m.MatchedIndexes)
			if !ok {
				continue
			}
			m.MatchedIndexes = at
		}
		out = append(out, m)
	}
	return out
}

// wordsIn is where the words are in a name; false if one of them is not.
// Loose is where a fuzzy search found the letters.
func wordsIn(name string, words []string, loose []int) ([]int, bool) {
	var at []int
	for _, w := range words {
		here := pieceIn(name, w)
		if here == nil && utf8.RuneCountInString(w) <= looseLetters && len(words) == 1 {
			here = loose
		}
		if here == nil {
			here = beginningsIn(name, w)
		}
		if here == nil {
			return nil, false
		}
		at = append(at, here...)
	}
	slices.Sort(at)
	return slices.Compact(at), true
}

// pieceIn is where a word is in one piece: the bytes of it.
func pieceIn(name, word string) []int {
	i := strings.Index(name, word)
	if i < 0 {
		return nil
	}
	at := make([]int, len(word))
	for n := range at {
		at[n] = i + n
	}
	return at
}

// beginningsIn is where a word is as the beginnings of a name's words, in
// their order: "cmca" in cert-manager-cainjector.
func beginningsIn(name, word string) []int {
	if word == "" || len(word) > len(name) {
		return nil
	}
	b := beginnings{name: name, word: word, dead: map[[2]int]bool{}}
	if !b.from(0, 0) {
		return nil
	}
	slices.Reverse(b.at)
	return b.at
}

// beginnings is one such search. What leads nowhere is remembered, so that a
// name of many equal words takes no longer than another.
type beginnings struct {
	name, word string
	at         []int // last first
	dead       map[[2]int]bool
}

// from looks for the rest of the word, from its letter n on, in the name from
// i on.
func (b *beginnings) from(i, n int) bool {
	if n == len(b.word) {
		return true
	}
	if b.dead[[2]int{i, n}] {
		return false
	}
	for start := i; start < len(b.name); start++ {
		if !beginsWord(b.name, start) {
			continue
		}
		length := 0
		for n+length < len(b.word) && start+length < len(b.name) && b.name[start+length] == b.word[n+length] {
			length++
		}
		for ; length > 0; length-- { // a long beginning may leave a rest that is nowhere
			if b.from(start+length, n+length) {
				for at := start + length - 1; at >= start; at-- {
					b.at = append(b.at, at)
				}
				return true
			}
		}
	}
	b.dead[[2]int{i, n}] = true
	return false
}

// beginsWord reports whether a letter or digit follows what is neither.
func beginsWord(name string, i int) bool {
	return letter(name[i]) && (i == 0 || !letter(name[i-1]))
}

// letter counts what is not ASCII as letters.
func letter(c byte) bool {
	return c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

// highlit marks the bytes that were found. Indexes are of bytes, rising.
func (p *palette) highlit(t Theme, title string, found []int) string {
	var b strings.Builder
	for start := 0; start < len(title); {
		hit := slices.Contains(found, start)
		end := start + 1
		for end < len(title) && (!utf8.RuneStart(title[end]) || slices.Contains(found, end) == hit) {
			end++
		}
		style := t.Text
		if hit {
			style = t.Key
		}
		b.WriteString(style.Render(title[start:end]))
		start = end
	}
	return b.String()
}
