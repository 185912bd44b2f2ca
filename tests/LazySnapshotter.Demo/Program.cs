using System.Globalization;
using LazySnapshotter.Demo;
using LazySnapshotter.TestSupport.Registry;

// `make demo`: one image, one registry behind a link, the same container twice: pulled and unpacked by containerd's
// overlayfs snapshotter, and started lazily by the index that was published with it. Everything it starts it stops, everything
// it mounts it unmounts.
//
//   --beside soci        and by soci-snapshotter (see BesideSoci), which LAZYSNAP_TEST_SOCI or fetch-soci.sh has
//   --image NAME         another image of tests/images than python
//   --rounds N           medians of so many
//   --sides LIST         some of overlayfs,soci,lazysnap
//   --requests FOLDER    lists every run's requests there
var link = new LinkProfile(TimeSpan.FromMilliseconds(20), 500_000_000);
if (Option("--beside") is { } peer)
{
    if (peer != "soci")
        throw new ArgumentException($"--beside {peer}: the one peer there is is soci");
    if (!HostsNamespace.IsInside)
        return await HostsNamespace.RunInsideAsync(args);
}

var phases = new Phases(Console.Out, TimeSpan.FromSeconds(15));
if (int.TryParse(
    Environment.GetEnvironmentVariable("LAZYSNAP_DEMO_BUILD_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
    phases.Add("building the programs", TimeSpan.FromSeconds(seconds));
var name = Option("--image") ?? "python";
var image = await phases.RunAsync(
    $"getting the image {name} ready, built from Debian packages unless it is there", () => ImageBuild.GetAsync(name));
Console.WriteLine($"image     {image.Name}: {Figures.Bytes(image.CompressedBytes)} compressed in {image.Layers.Count} layers");
Console.WriteLine("link      20 ms round trip, 500 Mbit/s, between the node and the registry");
Console.WriteLine("container the image's own command");

if (Option("--beside") is not null)
{
    var rounds = int.Parse(Option("--rounds") ?? "1", CultureInfo.InvariantCulture);
    var sides = (Option("--sides") ?? "overlayfs,soci,lazysnap").Split(',');
    var same = await phases.RunAsync(
        $"{rounds} rounds of {string.Join(", ", sides)}", () => BesideSoci.RunAsync(image, link, rounds, Option("--requests"), sides));
    phases.Print();
    return same ? 0 : 1;
}

await using var registry = await TestRegistry.StartAsync(new TestRegistryOptions { Link = link });
registry.Content.AddLayout("python", image.LayoutPath);
Console.WriteLine();

var reference = registry.Reference("python").ToString();
await phases.RunAsync("making the image's indexes and publishing them beside it", () => ColdStart.PublishIndexAsync(reference));
var unpacked = await phases.RunAsync(
    "a container with overlayfs: everything is pulled and unpacked", () => ColdStart.OverlayfsAsync(registry, reference));
var lazy = await phases.RunAsync(
    "a container with lazysnap: its layers stay in the registry", () => ColdStart.LazyAsync(registry, reference));
Console.WriteLine();
Figures.Print(unpacked, lazy);
phases.Print();
return lazy.Output == unpacked.Output ? 0 : 1;

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at < 0 ? null : at + 1 < args.Length ? args[at + 1] : throw new ArgumentException($"{name} needs a value");
}
