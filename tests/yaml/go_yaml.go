// Command go_yaml reads YAML documents as Docker Compose's reader does and writes the tree of each in the canonical text
// of cvm-verify's reader. Documents come from standard input, each behind its length in four bytes, big endian; answers
// go out alike: `A` and the canonical text, or `R` and why the document is refused.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"gopkg.in/yaml.v3"
)

const maxDepth = 100

var depth int

// node is a value as go-yaml decodes it, its merge keys resolved, its scalars as text.
type node struct {
	kind    byte
	text    string
	items   []*node
	members map[string]*node
}

func (n *node) UnmarshalYAML(from *yaml.Node) error {
	depth++
	defer func() { depth-- }()
	if depth > maxDepth {
		return errors.New("nests too deeply")
	}
	if from.Kind == yaml.AliasNode {
		return n.UnmarshalYAML(from.Alias)
	}
	switch from.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq":
	default:
		return fmt.Errorf("the tag %s", from.Tag)
	}
	switch from.Kind {
	case yaml.ScalarNode:
		n.kind, n.text = 'S', from.Value
		if from.ShortTag() == "!!null" {
			n.kind = 0
		}
		return nil
	case yaml.SequenceNode:
		n.kind = '['
		return from.Decode(&n.items)
	case yaml.MappingNode:
		n.kind = '{'
		return from.Decode(&n.members)
	}
	return errors.New("an unknown kind of node")
}

func text(into *bytes.Buffer, value string) {
	fmt.Fprintf(into, "S%d:%s", len(value), value)
}

func (n *node) write(into *bytes.Buffer) {
	if n == nil {
		into.WriteByte('N')
		return
	}
	switch n.kind {
	case 'S':
		text(into, n.text)
	case '[':
		into.WriteByte('[')
		for i := range n.items {
			n.items[i].write(into)
		}
		into.WriteByte(']')
	case '{':
		keys := make([]string, 0, len(n.members))
		for key := range n.members {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		into.WriteByte('{')
		for _, key := range keys {
			text(into, key)
			n.members[key].write(into)
		}
		into.WriteByte('}')
	default:
		into.WriteByte('N')
	}
}

// read decodes every document of the text, as compose does. Only the first may say something.
func read(document []byte) (answer []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			answer = []byte(fmt.Sprintf("Rpanic: %v", problem))
		}
	}()
	depth = 0
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	var first *node
	for i := 0; ; i++ {
		var next *node
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return []byte("R" + err.Error())
		}
		if i == 0 {
			first = next
		} else if next != nil && next.kind != 0 {
			return []byte("Ra second document")
		}
	}
	var out bytes.Buffer
	out.WriteByte('A')
	first.write(&out)
	return out.Bytes()
}

func main() {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriterSize(os.Stdout, 1<<20)
	var length [4]byte
	for {
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(length[:])
		if size == 0xffffffff {
			out.Flush()
			continue
		}
		document := make([]byte, size)
		if _, err := io.ReadFull(in, document); err != nil {
			panic(err)
		}
		answer := read(document)
		binary.BigEndian.PutUint32(length[:], uint32(len(answer)))
		out.Write(length[:])
		out.Write(answer)
	}
}
