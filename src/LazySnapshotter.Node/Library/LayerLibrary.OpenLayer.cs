using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Library;

// A layer that is open: its data path, and what goes on in the background for it. Closing it ends both.
public sealed partial class LayerLibrary
{
    private sealed record OpenLayer(
        LazyLayer Layer, SpanReader Reader, LayerBlobSource Source, LayerBlob Blob, SpanFetcher Fetcher, SpanCache Cache) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _lifetime = new();
        private Task _warmed = Task.CompletedTask;
        private bool _isDoubted;
        private Task _completed = Task.CompletedTask;

        /// <summary>Its index and the registry have contradicted each other.</summary>
        public bool IsDoubted { get => Volatile.Read(ref _isDoubted); set => Volatile.Write(ref _isDoubted, value); }

        /// <summary>The latest that was seen to have the layer. Under the library's gate.</summary>
        public ImageReference? Image { get; set; }

        /// <summary>Starts to get what is not here yet of the index.</summary>
        public void Complete(BackoffTimes times, ILogger logger) =>
            _completed = IndexCompletion.RunAsync(Layer.Index, times, logger, _lifetime.Token);

        /// <summary>Starts to fetch what will be wanted first. Under the library's gate.</summary>
        public void Warm(IReadOnlyList<SpanRangeToWarm> ranges, ILogger logger)
        {
            if (ranges.Count > 0 && _warmed.IsCompleted)
                _warmed = LayerWarmUp.RunAsync(Layer, Reader, ranges, logger, _lifetime.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _lifetime.CancelAsync();
            await _warmed;
            await _completed;
            _lifetime.Dispose();
            await Fetcher.DisposeAsync();
            Cache.Drop(Blob);
            Blob.Dispose();
            Layer.Index.Dispose();
        }
    }
}
