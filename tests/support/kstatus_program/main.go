// Reads objects as JSON, one after the other, and writes for each a line with the status that kstatus computes: Current,
// InProgress, Failed, Terminating or Unknown, then a tab and its message.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	objects := json.NewDecoder(os.Stdin)
	for {
		var fields map[string]any
		if err := objects.Decode(&fields); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fail(err)
		}
		result, err := status.Compute(withWholeNumbers(fields))
		if err != nil {
			fail(err)
		}
		fmt.Printf("%s\t%s\n", result.Status, result.Message)
	}
}

// withWholeNumbers returns the object with int64 in place of float64, as the client libraries of Kubernetes decode it.
func withWholeNumbers(fields map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	text, err := json.Marshal(fields)
	if err == nil {
		err = object.UnmarshalJSON(text)
	}
	if err != nil {
		fail(err)
	}
	return object
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
