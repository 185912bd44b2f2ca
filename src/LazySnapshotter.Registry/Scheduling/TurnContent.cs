using System.Net;

namespace LazySnapshotter.Registry.Scheduling;

// A response's content that holds its request's turn at the host: until the last byte was read, the body broke, or the
// response is disposed of, whichever comes first. What has no bytes to come gives the turn back when its head is here;
// so does every answer that is no success, since whoever gets one goes on to ask somebody else.
internal sealed class TurnContent : HttpContent
{
    private readonly HttpContent _content;
    private readonly Turn _turn;

    private TurnContent(HttpContent content, Turn turn)
    {
        _content = content;
        _turn = turn;
        foreach (var (name, values) in content.Headers.NonValidated)
            Headers.TryAddWithoutValidation(name, values);
    }

    public static void Attach(HttpResponseMessage response, Turn turn)
    {
        if (!response.IsSuccessStatusCode || response.Content.Headers.ContentLength == 0 || response.RequestMessage?.Method == HttpMethod.Head)
            turn.Dispose();
        else
            response.Content = new TurnContent(response.Content, turn);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new TurnStream(await _content.ReadAsStreamAsync(cancellationToken), _turn);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new TurnStream(_content.ReadAsStream(cancellationToken), _turn);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _content.CopyToAsync(stream, context);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
            _turn.Dispose();
        }

        base.Dispose(disposing);
    }
}
