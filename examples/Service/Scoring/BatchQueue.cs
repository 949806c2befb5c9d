using System.Threading.Channels;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Service.Scoring;

/// <summary>
/// Scores rows that wait at the same time together: a worker takes all that wait, up to a batch, and those that arrive meanwhile make the next batch. So a single client
/// waits no longer than for its own row, and many get batches by themselves.
/// </summary>
internal sealed class BatchQueue<T> : IScorer
{
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>();
    private readonly LoadedStudent _student;
    private readonly Converter<float, T> _convert;
    private readonly ServiceSettings _settings;
    private readonly ScoringInstruments _instruments;
    private readonly Task[] _workers;

    /// <param name="student">The model; the caller disposes it.</param>
    /// <param name="convert">Converts a value of a request to the type that the student reads.</param>
    /// <param name="settings">Says how large a batch may be, and how long a row may wait for others.</param>
    /// <param name="instruments">Count the batches.</param>
    public BatchQueue(LoadedStudent student, Converter<float, T> convert, ServiceSettings settings, ScoringInstruments instruments)
    {
        (_student, _convert, _settings, _instruments) = (student, convert, settings, instruments);
        // All before the first starts: a model that cannot score such rows leaves no worker behind.
        var batches = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => CreateBatch()).ToArray();
        _workers = [.. batches.Select(batch => Task.Run(() => Work(batch.Rows, batch.Scored)))];
    }

    public async ValueTask<float[]> Score(float[] features)
    {
        var waiting = new Waiting(new Row<T> { Features = Array.ConvertAll(features, _convert) });
        await _waiting.Writer.WriteAsync(waiting);
        return await waiting.Answer.Task;
    }

    /// <summary>Scores what still waits, and ends the workers.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAll(_workers);
    }

    private (List<Waiting> Rows, IDataView Scored) CreateBatch()
    {
        var batch = new List<Waiting>();
        // The view reads the rows that are in the batch when a cursor is opened.
        var rows = _student.MLContext.Data.LoadFromEnumerable(batch.Select(waiting => waiting.Row), Row<T>.Schema(_student.Features));
        return (batch, _student.Scorer.Transform(rows));
    }

    private async Task Work(List<Waiting> batch, IDataView scored)
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            Take(batch);
            if (batch.Count > 0 && batch.Count < _settings.MaxBatch && _settings.BatchWaitMilliseconds > 0)
            {
                await Task.Delay(_settings.BatchWaitMilliseconds);
                Take(batch);
            }

            if (batch.Count > 0)
                Answer(batch, scored);
            batch.Clear();
        }
    }

    private void Take(List<Waiting> batch)
    {
        while (batch.Count < _settings.MaxBatch && _waiting.Reader.TryRead(out var waiting))
            batch.Add(waiting);
    }

    private void Answer(List<Waiting> batch, IDataView scored)
    {
        _instruments.BatchRows.Record(batch.Count);
        try
        {
            var column = scored.Schema["Score"];
            // A set of one cursor: ML.NET would give a single cursor threads of its own, which costs more than a few rows.
            using var cursor = scored.GetRowCursorSet([column], 1)[0];
            var get = cursor.GetGetter<VBuffer<float>>(column);
            VBuffer<float> scores = default;
            foreach (var waiting in batch)
            {
                if (!cursor.MoveNext())
                    throw new InvalidOperationException("The model gave fewer rows than it was given.");
                get(ref scores);
                waiting.Answer.SetResult([.. scores.DenseValues()]);
            }
        }
        catch (Exception e)
        {
            foreach (var waiting in batch)
                waiting.Answer.TrySetException(e);
        }
    }

    private sealed record Waiting(Row<T> Row)
    {
        public TaskCompletionSource<float[]> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
