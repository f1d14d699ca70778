package playbooks

import "testing"

func TestPlaybooksValidate(t *testing.T) {
	for _, pb := range All() {
		if err := pb.Validate(); err != nil {
			t.Errorf("playbook %s: %v", pb.Name, err)
		}
	}
}
