using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.images.v1: names for what lies in the content store.
public sealed class ImagesClient
{
    private const string Service = "containerd.services.images.v1.Images";

    // Somebody may delete the image between our Create and our Update.
    private const int SetTriesMax = 3;

    private static readonly GrpcMethod<GetImageRequest, GetImageResponse> Get = new(Service, "Get", GetImageRequest.Parser, GetImageResponse.Parser);
    private static readonly GrpcMethod<ListImagesRequest, ListImagesResponse> List = new(Service, "List", ListImagesRequest.Parser, ListImagesResponse.Parser);
    private static readonly GrpcMethod<CreateImageRequest, CreateImageResponse> Create = new(Service, "Create", CreateImageRequest.Parser, CreateImageResponse.Parser);
    private static readonly GrpcMethod<UpdateImageRequest, UpdateImageResponse> Update = new(Service, "Update", UpdateImageRequest.Parser, UpdateImageResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal ImagesClient(ContainerdConnection connection) => _connection = connection;

    /// <returns>What the name stands for, or null if there is no such image.</returns>
    public async Task<Descriptor?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _connection.CallAsync(Get, new GetImageRequest { Name = name }, cancellationToken);
            return response.Image.Target.ToOci();
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Every image of the namespace: its name, and what that stands for.</summary>
    public async Task<IReadOnlyList<(string Name, Descriptor Target)>> ListAsync(CancellationToken cancellationToken)
    {
        var response = await _connection.CallAsync(List, new ListImagesRequest(), cancellationToken);
        return [.. response.Images.Where(image => Digest.TryParse(image.Target?.Digest, out _)).Select(image => (image.Name, image.Target.ToOci()))];
    }

    /// <summary>Creates the image or lets it stand for the new target. Labels of an image that is there stay.</summary>
    public async Task SetAsync(string name, Descriptor target, CancellationToken cancellationToken)
    {
        var image = new Image { Name = name, Target = target.ToContainerd() };
        for (var tries = 1; ; tries++)
        {
            try
            {
                await _connection.CallAsync(Create, new CreateImageRequest { Image = image }, cancellationToken);
                return;
            }
            catch (GrpcException e) when (e.Status == StatusCode.AlreadyExists)
            {
            }

            try
            {
                var mask = new FieldMask { Paths = { "target" } };
                await _connection.CallAsync(Update, new UpdateImageRequest { Image = image, UpdateMask = mask }, cancellationToken);
                return;
            }
            catch (GrpcException e) when (e.Status == StatusCode.NotFound && tries < SetTriesMax)
            {
            }
        }
    }
}
