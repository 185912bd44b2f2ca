using LazySnapshotter.Demo;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;

// `make demo`: one image, one registry behind a link, the same container twice: pulled and unpacked by containerd's
// overlayfs snapshotter, and started lazily by the index that was published with it. Everything it starts it stops, everything it mounts it unmounts.
var link = new LinkProfile(TimeSpan.FromMilliseconds(20), 500_000_000);
var image = await TestImages.Python;
await using var registry = await TestRegistry.StartAsync(new TestRegistryOptions { Link = link });
registry.Content.AddLayout("python", image.LayoutPath);

Console.WriteLine($"image     {image.Name}: Debian with python3 and numpy, {Figures.Bytes(image.CompressedBytes)} compressed in {image.Layers.Count} layers");
Console.WriteLine("link      20 ms round trip, 500 Mbit/s, between the node and the registry");
Console.WriteLine("container python3 -c 'import numpy; …'");
Console.WriteLine();

var reference = registry.Reference("python").ToString();
await ColdStart.PublishIndexAsync(reference);
var unpacked = await ColdStart.OverlayfsAsync(registry, reference);
var lazy = await ColdStart.LazyAsync(registry, reference);
Figures.Print(unpacked, lazy);
return lazy.Output == unpacked.Output ? 0 : 1;
