using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.images.v1: names for what lies in the content store.
public sealed class ImagesClient
{
    // Somebody may delete the image between our Create and our Update.
    private const int SetTriesMax = 3;

    private readonly ContainerdConnection _connection;
    private readonly Images.ImagesClient _calls;

    internal ImagesClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Images.ImagesClient(connection.Channel);
    }

    /// <returns>What the name stands for, or null if there is no such image.</returns>
    public async Task<Descriptor?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _connection.CallAsync(_calls.GetAsync, new GetImageRequest { Name = name }, cancellationToken);
            return response.Image.Target.ToOci();
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Every image of the namespace: its name, and what that stands for.</summary>
    public async Task<IReadOnlyList<(string Name, Descriptor Target)>> ListAsync(CancellationToken cancellationToken)
    {
        var response = await _connection.CallAsync(_calls.ListAsync, new ListImagesRequest(), cancellationToken);
        return [.. response.Images.Where(image => Digest.TryParse(image.Target?.Digest, out _))
            .Select(image => (image.Name, image.Target.ToOci()))];
    }

    /// <summary>Creates the image or lets it stand for the new target. Labels of an image that is there stay.</summary>
    public async Task SetAsync(string name, Descriptor target, CancellationToken cancellationToken)
    {
        var image = new Image { Name = name, Target = target.ToContainerd() };
        for (var tries = 1; ; tries++)
        {
            try
            {
                await _connection.CallAsync(_calls.CreateAsync, new CreateImageRequest { Image = image }, cancellationToken);
                return;
            }
            catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
            {
            }

            try
            {
                var mask = new FieldMask { Paths = { "target" } };
                await _connection.CallAsync(
                    _calls.UpdateAsync, new UpdateImageRequest { Image = image, UpdateMask = mask }, cancellationToken);
                return;
            }
            catch (ContainerdException e) when (e.Status == StatusCode.NotFound && tries < SetTriesMax)
            {
            }
        }
    }
}
