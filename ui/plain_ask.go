package ui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgrescue/pgrescue/steps/engine"
)

// ask prompts for what the view waits for.
func (p *plain) ask() {
	p.asking, p.asked = pendingIn(p.view), p.opts.now()
	if q := p.asking.question; q != nil {
		p.askQuestion(q)
		return
	}
	p.askConsent(p.asking.gate)
}

const plainHelp = "!help explains the step, !note TEXT adds a remark, !detach leaves the engine to go on, !abort stops as soon as that is safe"

func (p *plain) askQuestion(q *engine.Asked) {
	p.print(0, "QUESTION %s: %s", q.Name, cleanLine(q.Prompt))
	for _, l := range strings.Split(clean(q.Help), "\n") {
		if l != "" {
			p.print(1, "%s", l)
		}
	}
	for i, c := range q.Choices {
		suffix := ""
		if c == q.Default {
			suffix = " (default)"
		}
		p.print(1, "%d) %s%s", i+1, cleanLine(c), suffix)
	}
	hint := "Type the answer"
	if len(q.Choices) > 0 {
		hint = "Type a number or the answer"
	}
	switch {
	case q.Default != "":
		hint += ", or press enter for " + cleanLine(q.Default)
	case len(q.Choices) == 0:
		hint += ", or press enter for none"
	}
	p.print(1, "%s. !help lists more.", hint)
}

func (p *plain) askConsent(g *engine.Proposal) {
	h := headline(p.view)
	p.print(0, "CONSENT (%s) step %s on %s", g.Danger, g.Step, cleanLine(h.Target))
	p.print(1, "%s", cleanLine(g.Prompt))
	p.print(1, "%s", gateWords(g.Danger))
	if g.Unknown {
		p.print(1, "An earlier try was interrupted. Whether it took effect is not known; this has been looked at again.")
	}
	for _, l := range g.Plan.Loses {
		p.print(1, "LOSES: %s", cleanLine(l))
	}
	switch {
	case g.Danger >= engine.Original:
		p.print(1, "Digest %s%s.", g.Digest, rehearsedWords(p.view, g))
		p.print(1, "To agree, type %s exactly. Anything else does nothing; no declines.", cleanLine(g.Challenge))
	case g.Danger == engine.Reversible:
		p.print(1, "To agree, type yes. Enter or no declines.")
	default:
		p.print(1, "Press enter or type yes to agree; no declines.")
	}
}

// rehearsedWords says so when the plan is the one that worked on the copy.
func rehearsedWords(v engine.View, g *engine.Proposal) string {
	if g.Act == engine.Performance && v.Rehearsed != nil && v.Rehearsed.Plans[g.Step] == g.Digest {
		return ", the same as rehearsed"
	}
	return ""
}

// heard takes a typed line as the answer to what is being asked. leave means that the
// person goes.
func (p *plain) heard(l typedLine) (leave bool, err error) {
	if g := p.asking.gate; g != nil && p.terminal && g.Danger >= engine.Reversible && l.at.Before(p.asked.Add(typeAhead)) {
		p.print(1, "That was typed before the question could be read, so it does not count. Please type it again.")
		return false, nil
	}
	text := strings.TrimSpace(l.text)
	if strings.HasPrefix(text, "!") {
		return p.command(text)
	}
	if p.asking.question != nil {
		return false, p.heardAnswer(p.asking.question, text)
	}
	return false, p.heardConsent(p.asking.gate, l.text)
}

func (p *plain) heardAnswer(q *engine.Asked, text string) error {
	value := pick(q.Question, text)
	if err := q.Validate(value); err != nil {
		p.print(1, "%s.", cleanLine(err.Error()))
		return nil
	}
	return p.send(answer(q, value, p.opts.Actor))
}

// pick turns what was typed into an answer: nothing is the default, a choice is itself,
// and a number counts the choices.
func pick(q engine.Question, text string) string {
	if text == "" {
		return q.Default
	}
	for _, c := range q.Choices {
		if c == text {
			return c
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(q.Choices) {
		return q.Choices[n-1]
	}
	return text
}

func (p *plain) heardConsent(g *engine.Proposal, text string) error {
	yes, no, typed := text == "yes", text == "no", ""
	switch {
	case g.Danger >= engine.Original:
		typed, yes = text, g.Challenge != "" && text == g.Challenge
	case g.Danger == engine.Reversible:
		no = no || text == ""
	default:
		yes = yes || text == ""
	}
	switch {
	case yes:
		return p.send(agree(g, typed, p.opts.Actor))
	case no:
		return p.send(decline(g, "", p.opts.Actor))
	}
	p.print(1, "Nothing was done: that is neither the consent nor no.")
	return nil
}

// command takes a line that begins with an exclamation mark.
func (p *plain) command(text string) (leave bool, err error) {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "!detach":
		return true, nil
	case "!abort":
		p.stop("stopping as soon as that is safe")
	case "!note":
		d := engine.Decision{Kind: engine.DecideNote, Value: strings.TrimSpace(rest), Actor: p.opts.Actor}
		if err := checkDecision(p.view, d); err != nil {
			p.print(1, "%s.", err)
			return false, nil
		}
		return false, p.link.Decide(d)
	case "!help":
		p.explain()
	default:
		p.print(1, "%s is not known. %s.", cleanLine(word), plainHelp)
	}
	return false, nil
}

// explain prints the step's prose and asks again.
func (p *plain) explain() {
	step := ""
	if p.asking.question != nil {
		step = p.asking.question.Step
	} else {
		step = p.asking.gate.Step
	}
	for _, s := range p.view.Opened.Steps {
		if s.Name == step {
			p.print(0, "%s", fmt.Sprintf("About step %s, %s:", s.Name, cleanLine(s.Title)))
			for _, l := range strings.Split(strings.TrimSpace(clean(s.Doc)), "\n") {
				p.print(1, "%s", l)
			}
		}
	}
	p.print(0, "%s.", plainHelp)
	p.ask()
}
