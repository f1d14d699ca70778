package pgdisk

import (
	"encoding/binary"
	"fmt"
)

// Special is the special part of an index page: BTreeOpaque, HashOpaque, GinOpaque,
// GistOpaque, SPGistOpaque or BrinOpaque.
type Special interface {
	HasItems() bool           // line pointers follow the page header
	Problems() []*FormatError // what is wrong with the part
}

// DecodeSpecial reads the special part of an index page of the given kind. Of the other kinds
// it is an error that says what the page has instead.
func DecodeSpecial(page []byte, kind PageKind) (Special, error) {
	switch kind {
	case PageBTree:
		return special(DecodeBTreeOpaque(page))
	case PageHash:
		return special(DecodeHashOpaque(page))
	case PageGin:
		return special(DecodeGinOpaque(page))
	case PageGist:
		return special(DecodeGistOpaque(page))
	case PageSPGist:
		return special(DecodeSPGistOpaque(page))
	case PageBrin:
		return special(DecodeBrinOpaque(page))
	}
	if err := wholePage("page", page); err != nil {
		return nil, err
	}
	return nil, &FormatError{Off: 16, Field: "special part", Want: "that of an index", Got: fmt.Sprintf("pd_special %d, last bytes % X",
		binary.LittleEndian.Uint16(page[16:]), page[BlockSize-8:])}
}

// special keeps the nil of a failed decoder from becoming a value.
func special[T Special](part T, err error) (Special, error) {
	if err != nil {
		return nil, err
	}
	return part, nil
}

// metaError reads the page as a meta page where its special part says that it is one.
func metaError(page []byte, part Special) error {
	var err error
	switch o := part.(type) {
	case BTreeOpaque:
		if o.Flags&BTreeMeta != 0 {
			_, err = DecodeBTreeMetaPage(page)
		}
	case HashOpaque:
		if o.Flags.Type() == HashMeta {
			_, err = DecodeHashMetaPage(page)
		}
	case GinOpaque:
		if o.Flags&GinMeta != 0 {
			_, err = DecodeGinMetaPage(page)
		}
	case SPGistOpaque:
		if o.Flags&SPGistMeta != 0 {
			_, err = DecodeSPGistMetaPage(page)
		}
	case BrinOpaque:
		if o.Type == BrinMeta {
			_, err = DecodeBrinMetaPage(page)
		}
	}
	return err
}

// specialOf returns the special part of a page, which must have the size that its kind of
// page has.
func specialOf(page []byte, size int, kind string) ([]byte, error) {
	if err := wholePage(kind, page); err != nil {
		return nil, err
	}
	at := int(binary.LittleEndian.Uint16(page[16:]))
	if at != BlockSize-size {
		return nil, &FormatError{Off: 16, Field: "pd_special", Want: fmt.Sprintf("%d on a %s", BlockSize-size, kind), Got: fmt.Sprint(at)}
	}
	return page[at:], nil
}

// wantPageID judges the last two bytes of a page, which tell the kinds of indexes apart.
func wantPageID(got, want uint16, field string) error {
	if got != want {
		return &FormatError{Off: BlockSize - 2, Field: field, Want: fmt.Sprintf("0x%04X", want), Got: fmt.Sprintf("0x%04X", got)}
	}
	return nil
}
