using System.Text.RegularExpressions;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Program.Tests;

// The least machine the program may be put on, as a folder to chroot into: the libraries it is linked with and OpenSSL's, the
// certificates of authorities, the kernel's /proc and /dev. No .NET, no ICU, no shell. Every process gets a mount namespace of
// its own, so what is mounted for it or by it goes with it.
internal sealed partial class BareSystem : IAsyncDisposable
{
    private const string Certificates = "/etc/ssl/certs/ca-certificates.crt";
    private const string OpenSsl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";

    private const string Script = """
        mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" /lazysnap "$@"
        """;

    private readonly TestDirectory _directory = TestDirectory.Create();

    private BareSystem()
    {
    }

    public static async Task<BareSystem> CreateAsync(bool withOpenSsl = true)
    {
        var system = new BareSystem();
        foreach (var folder in (string[])["dev", "proc", "run", "tmp", "mnt", "var/lib"])
            system._directory.MakeDirectory(folder);
        File.Copy(LazysnapProcess.ProgramPath, system.PathOf("/lazysnap"));

        string[] users = withOpenSsl ? [LazysnapProcess.ProgramPath, OpenSsl] : [LazysnapProcess.ProgramPath];
        var linked = (await ProcessRunner.RunAsync("ldd", users)).Checked().Output;
        foreach (var library in Libraries().Matches(linked).Select(match => match.Value).Concat(users.Skip(1)).Distinct())
            system.Copy(library);
        system.Copy(Certificates);
        // Where Debian's OpenSSL looks for them.
        Directory.CreateDirectory(system.PathOf("/usr/lib/ssl"));
        File.CreateSymbolicLink(system.PathOf("/usr/lib/ssl/cert.pem"), Certificates);
        return system;
    }

    public string PathOf(string path) => _directory.Combine(path.TrimStart('/'));

    /// <summary>One more certificate of an authority that everybody on the machine trusts.</summary>
    public Task TrustAsync(string pem) => File.AppendAllTextAsync(PathOf(Certificates), "\n" + pem + "\n");

    public Task<ProcessResult> RunAsync(params IEnumerable<string> arguments) => ProcessRunner.RunAsync("unshare", Inside(arguments));

    public BackgroundProcess Start(params IEnumerable<string> arguments) => BackgroundProcess.Start("unshare", Inside(arguments));

    public ValueTask DisposeAsync() => _directory.DisposeAsync();

    private IEnumerable<string> Inside(IEnumerable<string> arguments) =>
        ["--mount", "--propagation", "private", "sh", "-c", Script, _directory.Path, .. arguments];

    private void Copy(string file)
    {
        var target = PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(file, target);
    }

    //     libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f…)
    //     /lib64/ld-linux-x86-64.so.2 (0x00007f…)
    [GeneratedRegex(@"/\S+(?= \(0x)")]
    private static partial Regex Libraries();
}
