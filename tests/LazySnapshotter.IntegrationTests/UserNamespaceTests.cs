using System.IO.Compression;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.IntegrationTests;

// In a user namespace overlayfs keeps its marks in user.* (`userxattr`). A real one, as rootless containerd has it.
public sealed class UserNamespaceTests
{
    // The mount is seen in its namespace only, so what is to be seen of it is printed there.
    private const string Script = """
        "$0" mount --root "$1/root" "$2" "$1/mnt" 2> "$1/log" & mount=$!
        for attempt in $(seq 300); do grep -q "$1/mnt overlay.*userxattr" /proc/mounts && break; sleep 0.1; done
        cd "$1/mnt" && find . ! -name . | sort | tr '\n' ' '
        cd / && kill $mount && wait $mount
        """;

    [Fact]
    public async Task Opaque_directories_stay_opaque_and_a_tars_own_marks_mean_nothing()
    {
        await using var directory = TestDirectory.Create();
        await using var registry = await TestRegistry.StartAsync();
        var lower = new TestTar()
            .Directory("cfg").Add("cfg/old").Directory("listed").Add("listed/old").Directory("evil").Add("evil/stays").Add("gone").End();
        var upper = new TestTar()
            .Add("cfg/new").Add("cfg/.wh..wh..opq").Directory("listed").Add("listed/.wh..wh..opq").Add("listed/new").Add(".wh.gone")
            .Pax(("SCHILY.xattr.user.overlay.opaque", "y"), ("SCHILY.xattr.user.overlay.redirect", "/cfg"))
            .Directory("evil").Add("evil/new").End();
        registry.Content.AddImage("ns", "latest", [Layer(registry, lower), Layer(registry, upper)]);
        directory.MakeDirectory("mnt");

        string[] command = ["sh", "-c", Script, LazysnapProcess.ProgramPath, directory.Path, registry.Reference("ns").ToString()];
        var shown = await ProcessRunner.RunAsync("unshare", ["--user", "--mount", "--map-root-user", .. command]);

        Assert.True(shown.ExitCode == 0, shown.Error + await File.ReadAllTextAsync(directory.Combine("log")));
        Assert.Equal("./cfg ./cfg/new ./evil ./evil/new ./evil/stays ./listed ./listed/new ", shown.Output);
    }

    private static Descriptor Layer(TestRegistry registry, byte[] tar)
    {
        var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Optimal))
            gzip.Write(tar);
        return registry.Content.AddBlob("ns", blob.ToArray(), MediaTypes.OciLayerGzip);
    }
}
