using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace LazySnapshotter.TestSupport.Registry;

// Answers one request: first what the fault wants, then what the distribution specification wants.
internal sealed partial class TestRequestHandler(TestRegistry registry, HttpContext context, TestRequest request, Fault? fault)
{
    private const string HopParameter = "hop";

    private HttpResponse Response => context.Response;

    private int HopsSoFar => int.TryParse(context.Request.Query[HopParameter], out var hops) ? hops : 0;

    public async Task AnswerAsync()
    {
        if (fault is not null)
        {
            await Task.Delay(fault.Delay, context.RequestAborted);
            if (fault.LoseAnswer)
            {
                await new TestRequestHandler(registry, context, request, null) { _answerIsLost = true }.AnswerAsync();
                context.Abort();
                return;
            }

            if (fault.ResetBeforeAnswer)
            {
                context.Abort();
                return;
            }

            if (fault.Raw is { } raw)
            {
                await RawAsync(raw(request));
                return;
            }

            if (fault.RedirectLoop || HopsSoFar < fault.RedirectHops)
            {
                Redirect(fault.RedirectLoop ? request.Path + request.Query : NextHop());
                return;
            }

            if (fault.StatusCode is { } status)
            {
                await TextAsync(status, fault.BodyFor?.Invoke(request) ?? fault.Body, fault.ContentType);
                return;
            }
        }

        await (request.Kind switch
        {
            TestRequestKind.Token => TokenAsync(),
            TestRequestKind.Ping => PingAsync(),
            TestRequestKind.Manifest when IsReading => ManifestAsync(),
            TestRequestKind.Manifest => HttpMethods.IsDelete(request.Method) ? DeleteManifestAsync() : PutManifestAsync(),
            TestRequestKind.Blob => BlobAsync(),
            TestRequestKind.Upload => UploadAsync(),
            TestRequestKind.Referrers => ReferrersAsync(),
            TestRequestKind.Tags => TagsAsync(),
            TestRequestKind.Cdn when !IsReading => UploadElsewhereAsync(),
            TestRequestKind.Cdn => CdnAsync(),
            _ => ErrorAsync(StatusCodes.Status404NotFound, "NAME_UNKNOWN", "no such path"),
        });
    }

    private async Task TokenAsync()
    {
        var (status, json) = await registry.Tokens.AnswerAsync(request, context.Request);
        await TextAsync(status, json, "application/json");
    }

    private Task PingAsync() =>
        registry.Tokens.MayPull(request, "") ? TextAsync(StatusCodes.Status200OK, "{}", "application/json") : UnauthorizedAsync(null);

    private async Task ManifestAsync()
    {
        var (repository, tagOrDigest) = Split("/manifests/");
        if (!registry.Tokens.MayPull(request, repository))
            await UnauthorizedAsync(repository);
        else if (registry.Content.Manifest(repository, tagOrDigest) is { } manifest)
        {
            Response.ContentType = manifest.MediaType;
            Response.Headers["Docker-Content-Digest"] = manifest.Digest.ToString();
            if (registry.Options.Preconditions)
            {
                Response.Headers.ETag = $"\"{manifest.Digest}\"";
                if (context.Request.Headers.IfNoneMatch.ToString() == Response.Headers.ETag)
                {
                    Response.StatusCode = StatusCodes.Status304NotModified;
                    TestBody.ApplyHeaders(Response, fault);
                    return;
                }
            }

            await BodyAsync(new MemoryStream(manifest.Content), manifest.Content.Length);
        }
        else
            await ErrorAsync(StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private async Task BlobAsync()
    {
        var (repository, digest) = Split("/blobs/");
        if (!registry.Tokens.MayPull(request, repository))
            await UnauthorizedAsync(repository);
        else if (registry.Content.Blob(repository, digest) is not { } blob)
            await ErrorAsync(StatusCodes.Status404NotFound, "BLOB_UNKNOWN", "blob unknown to registry");
        else if (registry.Options.RedirectBlobs)
            Redirect($"{registry.Scheme}://{registry.CdnHost}{registry.SignedUrls.Sign($"/{repository}/blobs/{digest}")}");
        else
            await RangeAsync(blob);
    }

    // Like S3: signed, and refusing a second kind of authentication.
    private async Task CdnAsync()
    {
        var (repository, digest) = Split("/blobs/");
        if (request.Authorization is not null)
            await S3ErrorAsync(StatusCodes.Status400BadRequest, "InvalidArgument", "Only one auth mechanism allowed");
        else if (registry.SignedUrls.Check(request.Path, context.Request.Query) is { } code)
            await S3ErrorAsync(StatusCodes.Status403Forbidden, code, "Request has expired");
        else if (registry.Content.Blob(repository, digest) is { } blob)
            await RangeAsync(blob);
        else
            await S3ErrorAsync(StatusCodes.Status404NotFound, "NoSuchKey", "The specified key does not exist.");
    }

    private async Task RangeAsync(TestBlob blob)
    {
        Response.ContentType = "application/octet-stream";
        Response.Headers.AcceptRanges = "bytes";
        var range = fault is { IgnoreRange: true } ? null : new RequestHeaders(context.Request.Headers).Range;
        var (start, end) = (0L, blob.Length);
        if (range is { Unit.Value: "bytes", Ranges.Count: 1 })
        {
            var asked = range.Ranges.Single();
            start = asked.From ?? Math.Max(0, blob.Length - asked.To!.Value);
            end = asked.From is null || asked.To is null ? blob.Length : Math.Min(blob.Length, asked.To.Value + 1);
            if (start >= blob.Length)
            {
                Response.Headers.ContentRange = new ContentRangeHeaderValue(blob.Length).ToString();
                await ErrorAsync(StatusCodes.Status416RangeNotSatisfiable, "RANGE_INVALID", "range beyond the end");
                return;
            }

            if (fault is { Multipart: true })
            {
                await MultipartAsync(blob, start, end);
                return;
            }

            if (fault is not { PartAsWhole: true })
            {
                Response.StatusCode = StatusCodes.Status206PartialContent;
                Response.Headers.ContentRange = new ContentRangeHeaderValue(start, end - 1, blob.Length).ToString();
            }
        }

        await using var content = blob.Open(start);
        await BodyAsync(content, end - start);
    }

    private async Task MultipartAsync(TestBlob blob, long start, long end)
    {
        const string Boundary = "THIS_STRING_SEPARATES";
        var part = new byte[end - start];
        await using (var content = blob.Open(start))
            await content.ReadExactlyAsync(part);
        using var document = new MemoryStream();
        var parts = new List<(long From, byte[] Bytes)> { (start, part) };
        if (fault is not { SinglePart: true })
            parts.Add((0, [0]));
        foreach (var (from, bytes) in parts)
        {
            var range = new ContentRangeHeaderValue(from, from + bytes.Length - 1, blob.Length);
            var head = $"--{Boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: {range}\r\n\r\n";
            document.Write([.. Encoding.ASCII.GetBytes(head), .. bytes, .. "\r\n"u8]);
        }

        document.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        Response.StatusCode = StatusCodes.Status206PartialContent;
        Response.ContentType = "multipart/byteranges; boundary=" + Boundary;
        document.Position = 0;
        await BodyAsync(document, document.Length);
    }

    private Task UnauthorizedAsync(string? repository, string action = "pull")
    {
        var scope = repository is null ? "" : $",scope=\"repository:{repository}:{action}\"";
        Response.Headers.WWWAuthenticate = registry.Options.Auth == TestAuthMode.Basic
            ? "Basic realm=\"test registry\""
            : $"Bearer realm=\"{registry.Scheme}://{registry.TokenHost}/token\",service=\"test registry\"{scope}";
        return ErrorAsync(StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "authentication required");
    }

    private async Task RawAsync(byte[] bytes)
    {
        var answer = new RawAnswer(context);
        await answer.WriteAsync(bytes);
        if (fault?.StallAt is not null)
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        await answer.CloseAsync();
    }

    private string NextHop()
    {
        var query = context.Request.Query.Where(q => q.Key != HopParameter)
            .Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value.ToString())}");
        var location = $"{request.Path}?{string.Join('&', query.Append($"{HopParameter}={HopsSoFar + 1}"))}";
        return HopsSoFar % 2 == 0 ? location : $"{registry.Scheme}://{request.Host}{location}";
    }

    private void Redirect(string location)
    {
        Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        Response.Headers.Location = location;
        TestBody.ApplyHeaders(Response, fault);
    }

    private Task ErrorAsync(int status, string code, string message) =>
        TextAsync(status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}","detail":null}]}""", "application/json");

    private Task S3ErrorAsync(int status, string code, string message) => TextAsync(
        status,
        $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message>" +
            $"<StringToSign>{request.Query}</StringToSign></Error>",
        "application/xml");

    private Task TextAsync(int status, string text, string contentType)
    {
        Response.StatusCode = status;
        Response.ContentType = contentType;
        var bytes = Encoding.UTF8.GetBytes(text);
        return BodyAsync(new MemoryStream(bytes), bytes.Length);
    }

    private Task BodyAsync(Stream content, long length) => new TestBody(context, request, registry.Link, fault).WriteAsync(content, length);

    // "/v2/library/python/blobs/sha256:..." -> "library/python", "sha256:...". At the CDN the path has no "/v2".
    private (string Repository, string Last) Split(string separator)
    {
        var at = request.Path.LastIndexOf(separator, StringComparison.Ordinal);
        if (at < 0)
            return ("", "");
        var repository = request.Path[..at].TrimStart('/');
        return (repository.StartsWith("v2/", StringComparison.Ordinal)
            ? repository["v2/".Length..]
            : repository, request.Path[(at + separator.Length)..]);
    }
}
