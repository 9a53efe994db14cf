// Checks Containerfiles with the rules that docker build --check has, without docker.
//
//	lint FILE...
//
// Prints one JSON object: for each file its warnings, as "RULE: what is wrong", and
// the error that would end a build. Nothing is fetched: a base image is taken for
// one that sets nothing.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type report struct {
	Warnings []string `json:"warnings"`
	Error    string   `json:"error,omitempty"`
}

type bareImages struct{}

func (bareImages) ResolveImageConfig(
	_ context.Context, reference string, _ sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	config := []byte(`{"architecture":"amd64","os":"linux","config":{}}`)
	return reference, digest.FromBytes(config), config, nil
}

func lint(path string) (report, error) {
	found := report{Warnings: []string{}}
	content, err := os.ReadFile(path)
	if err != nil {
		return found, err
	}
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	source := llb.NewSourceMap(nil, path, "Dockerfile", content)
	source.Definition = &llb.Definition{}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), content, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildPlatforms: []ocispecs.Platform{platform}},
		TargetPlatform: &platform,
		MetaResolver:   bareImages{},
		SourceMap:      source,
	})
	if err != nil {
		return found, err
	}
	for _, warning := range results.Warnings {
		found.Warnings = append(found.Warnings, warning.RuleName+": "+warning.Detail)
	}
	if results.Error != nil {
		found.Error = results.Error.Message
	}
	return found, nil
}

func main() {
	all := map[string]report{}
	for _, path := range os.Args[1:] {
		found, err := lint(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		all[path] = found
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
