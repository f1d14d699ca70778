package pgops
import "testing"
func TestX(t *testing.T){ c,err:=NewCatalogue(); if err!=nil{t.Fatal(err)}; t.Log(len(c.rules))}
