using System.Text.Json;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Program.Tests;

// What a compiler that runs ahead of time may take from a program without a word: attributes that are looked up, serializers,
// culture data, names in stack traces. And whether what it computes is what the JIT computes.
public sealed class CompiledTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = TestDirectory.Create();
    private string _blob = null!;

    public async Task InitializeAsync()
    {
        _blob = _directory.Combine("layer");
        await File.WriteAllBytesAsync(_blob, TestLayer.Blob);
    }

    public async Task DisposeAsync() => await _directory.DisposeAsync();

    [Fact]
    public async Task An_index_is_the_JITs_to_the_byte()
    {
        var (ours, jits) = (_directory.Combine("ours"), _directory.Combine("jits"));
        (await LazysnapProcess.RunAsync("index", "build", "--blob", _blob, "-o", ours)).Checked();
        await using (var blob = File.OpenRead(_blob))
            await LayerIndexBuilder.BuildAsync(blob, jits, new LayerIndexOptions(), CancellationToken.None);
        Assert.Equal(await File.ReadAllBytesAsync(jits), await File.ReadAllBytesAsync(ours));
    }

    [Theory]
    [InlineData("""{ "cache": { "memoryMiB": -1 } }""", "cache.memoryMiB: -1 is not a whole number from 0 to 1048576")]
    [InlineData("""{ "index": { "concurrency": 65 } }""", "index.concurrency: 65 is not a whole number from 1 to 64")]
    [InlineData(
        """{ "registry": { "requests": { "readDeadline": 0 } } }""",
        "registry.requests.readDeadline: 0 is not a number from 0.001 to 86400")]
    [InlineData(
        """{ "registry": { "requests": { "concurrencyMax": 1.5 } } }""",
        "registry.requests.concurrencyMax: 1.5 is not a whole number from 1 to 1024")]
    public async Task Numbers_of_the_configuration_have_limits(string configuration, string refusal)
    {
        var file = _directory.Combine("config");
        await File.WriteAllTextAsync(file, configuration);
        string[] elsewhere = ["--root", _directory.Combine("root"), "--address", _directory.Combine("a")];
        var served = await LazysnapProcess.RunAsync(["serve", "--config", file, .. elsewhere]);
        Assert.Equal(1, served.ExitCode);
        Assert.EndsWith(": " + refusal + "\n", served.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_are_JSON_where_asked_for()
    {
        var built = (await LazysnapProcess.RunAsync("index", "build", "--json", "--blob", _blob, "-o", _directory.Combine("i"))).Checked();
        using var result = JsonDocument.Parse(built.Output);
        Assert.Equal("built", result.RootElement.GetProperty("state").GetString());
        var shown = (await LazysnapProcess.RunAsync("index", "show", "--json", _directory.Combine("i"))).Checked();
        using var facts = JsonDocument.Parse(shown.Output);
        var entries = facts.RootElement.GetProperty("entries").EnumerateObject().Sum(type => type.Value.GetInt32());
        Assert.Equal(result.RootElement.GetProperty("entries").GetInt32(), entries);
    }

    // With numbers of which cultures think differently, and letters: German has commas, Turkish another i.
    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    public async Task The_machines_language_changes_nothing(string language)
    {
        var index = _directory.Combine("i");
        (await LazysnapProcess.RunAsync("index", "build", "--blob", _blob, "-o", index)).Checked();
        Assert.Equal(await ShowAsync("C"), await ShowAsync(language));

        async Task<string> ShowAsync(string spoken)
        {
            var environment = new Dictionary<string, string> { ["LC_ALL"] = spoken, ["LANG"] = spoken };
            var shown = await ProcessRunner.RunAsync(LazysnapProcess.ProgramPath, ["index", "show", index], environment: environment);
            return shown.Checked().Output;
        }
    }

    [Fact]
    public async Task A_failure_is_one_line_and_its_stack_trace_names_methods_where_asked_for()
    {
        string[] command = ["index", "show", _directory.Combine("nothing")];
        var quiet = await LazysnapProcess.RunAsync(command);
        Assert.Single(quiet.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var loud = await LazysnapProcess.RunAsync(["--log-level", "debug", .. command]);
        Assert.Matches(@"(?m)^\S+Z dbug: lazysnap\[.*at LazySnapshotter\.Cli\.", loud.Error);
    }

    [Fact]
    public async Task A_log_is_JSON_where_asked_for()
    {
        await using var daemon = LazysnapProcess.Create();
        await daemon.StartAsync(_directory.Combine("none"), null, "--log-format", "json");
        await daemon.WaitForLogAsync("Serving snapshots");
        Assert.Equal(0, await daemon.StopAsync());
        foreach (var line in daemon.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var entry = JsonDocument.Parse(line);
            Assert.True(entry.RootElement.TryGetProperty("Timestamp", out _), line);
        }
    }

    [Fact]
    public async Task A_damaged_database_is_named()
    {
        await using var daemon = LazysnapProcess.Create();
        await daemon.StartAsync(_directory.Combine("none"));
        Assert.Equal(0, await daemon.StopAsync());
        var database = Path.Combine(daemon.Root, "metadata.db");
        await File.WriteAllTextAsync(database, new string('x', 8192));
        var served = await LazysnapProcess.RunAsync("serve", "--root", daemon.Root, "--address", daemon.Address);
        Assert.Equal(1, served.ExitCode);
        Assert.Contains($"lazysnap: metadata database {database} is damaged: ", served.Error, StringComparison.Ordinal);
    }
}
