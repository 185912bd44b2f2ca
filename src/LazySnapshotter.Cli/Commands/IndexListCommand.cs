using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index list REF` shows which indexes are published for an image, in the order in which a node would take them.
internal static class IndexListCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var platformOptions = new PlatformOptions();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command("list", "List the indexes published for an image") { reference, json, plainHttp };
        platformOptions.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            using var registry = IndexArguments.OpenRegistry([image], parsed.GetValue(plainHttp), parsed.HostsDirectory(), loggers);
            var listing = new IndexListing(registry, loggers);
            var platforms = platformOptions.Of(parsed);

            var images = new List<ImageIndexes>();
            foreach (var (found, manifest) in await IndexArguments.FindAsync(registry, image, platforms, cancellationToken))
                images.Add(Describe(found, manifest, await listing.RunAsync(image, manifest.Digest, cancellationToken)));

            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(images, IndexListJson.Default.ListImageIndexes));
            else
                images.ForEach(Write);
            return 0;
        });
        return command;
    }

    private static ImageIndexes Describe(SourceImage image, Descriptor manifest, IReadOnlyList<ListedIndex> indexes) => new(
        manifest.Digest.ToString(),
        image.Platform.ToString(),
        [.. image.Layers.Select(layer => new ImageLayer(layer.Digest.ToString(), layer.MediaType, layer.Size))],
        [.. indexes.Select(index => new PublishedIndex(
            index.Kind,
            index.Artifact.Digest.ToString(),
            [.. index.Parts.Select(
                part => new PublishedPart(part.Layer.ToString(), part.Part.Digest.ToString(), part.Part.Size, part.FrontLength))],
            index.Problems))]);

    private static void Write(ImageIndexes image)
    {
        Console.WriteLine(
            $"{image.Manifest} ({image.Platform}), {image.Layers.Count} layers, {ByteSize.Format(image.Layers.Sum(layer => layer.Size))}");
        if (image.Indexes.Count == 0)
            Console.WriteLine("  no index is published");
        foreach (var index in image.Indexes)
        {
            var front = index.Parts.All(part => part.FrontLength is not null)
                ? $", {ByteSize.Format(index.Parts.Sum(part => part.FrontLength!.Value))} to mount"
                : "";
            Console.WriteLine($"  {index.Kind,-8} {index.Digest}  {index.Parts.Count} " +
                $"layers, {ByteSize.Format(index.Parts.Sum(part => part.Size))}{front}");
            foreach (var part in index.Parts)
            {
                var layer = image.Layers.FirstOrDefault(layer => layer.Digest == part.Layer);
                var share = layer is { Size: > 0 }
                    ? $" of {ByteSize.Format(layer.Size)}"
                    : layer is null
                    ? " of a layer the image does not have"
                    : "";
                Console.WriteLine($"    {part.Layer}  {ByteSize.Format(part.Size)}{share}");
            }

            foreach (var problem in index.Problems)
                Console.WriteLine($"    refused: {problem}");
        }
    }
}

internal sealed record ImageIndexes(
    string Manifest, string Platform, IReadOnlyList<ImageLayer> Layers, IReadOnlyList<PublishedIndex> Indexes);

internal sealed record ImageLayer(string Digest, string MediaType, long Size);

internal sealed record PublishedIndex(string Kind, string Digest, IReadOnlyList<PublishedPart> Parts, IReadOnlyList<string> Problems);

internal sealed record PublishedPart(string Layer, string Digest, long Size, long? FrontLength);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(List<ImageIndexes>))]
internal sealed partial class IndexListJson : JsonSerializerContext;
