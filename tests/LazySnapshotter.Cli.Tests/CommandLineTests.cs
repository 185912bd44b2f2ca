namespace LazySnapshotter.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(0, "--help")]
    [InlineData(0, "serve", "--help")]
    [InlineData(0, "--version")]
    [InlineData(2, "nonsense")]
    [InlineData(2, "pull")]
    [InlineData(2, "index", "build")]
    [InlineData(2, "index", "build", "ref", "--blob", "file")]
    [InlineData(2, "index", "build", "ref", "--platform", "no-such")]
    [InlineData(2, "index", "build", "ref", "--platform", "linux/amd64", "--all-platforms")]
    [InlineData(2, "index", "build", "ref", "--span-size", "large")]
    [InlineData(2, "index", "build", "ref", "--span-size", "0")]
    [InlineData(2, "index", "build", "ref", "--build-tool", "x")]
    [InlineData(2, "index", "build", "ref", "--format", "soci")]
    [InlineData(2, "index", "build", "ref", "--format", "other")]
    [InlineData(2, "index", "verify", "file")]
    [InlineData(1, "index", "build", "--root", "/dev/shm", "oci:/nowhere/at/all")]
    [InlineData(1, "index", "build", "--root", "/dev/shm", "docker-archive:/nowhere/at/all.tar")]
    [InlineData(1, "index", "build", "--root", "/dev/shm", "containerd:x", "--address", "/nowhere/at/all.sock")]
    [InlineData(1, "index", "verify", "/nowhere/at/all.lsi", "--blob", "/dev/null")]
    [InlineData(2, "ls", "ref", "--log-format", "xml")]
    [InlineData(2, "copy", "only-one")]
    [InlineData(2, "copy", "a/b:1", "a/c:1", "--platform", "linux/amd64", "--all-platforms")]
    [InlineData(2, "copy", "a/b:1", "a/c:1", "--platform", "no-such")]
    [InlineData(1, "index", "show", "/nowhere/at/all.lsi")]
    [InlineData(1, "index", "build", "--blob", "/nowhere/at/all.tar", "-o", "/nowhere/x")]
    [InlineData(1, "serve", "--config", "/nowhere/at/all.json")]
    [InlineData(2, "registry", "check")]
    [InlineData(0, "registry", "check", "--help")]
    [InlineData(1, "registry", "check", "not a reference")]
    [InlineData(1, "registry", "check", "127.0.0.1:1/none:latest")]
    public async Task Exit_codes_tell_success_failure_and_wrong_usage_apart(int code, params string[] arguments) =>
        Assert.Equal(code, await CommandLine.RunAsync(arguments));
}
