using System.Diagnostics;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Demo;

// The demo's one image, built from Debian packages unless it is there. What the build says of its progress, a person reads at once.
internal static class ImageBuild
{
    public static async Task<TestImage> GetAsync(string name)
    {
        var build = new ProcessStartInfo(RepositoryRoot.Combine("tests", "images", "build"), [name]) { RedirectStandardOutput = true };
        using var process = Process.Start(build)!;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await TestImages.GetAsync(name)
            : throw new InvalidOperationException($"the image {name} could not be built (exit code {process.ExitCode})");
    }
}
