using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;

namespace Service.Scoring;

/// <summary>
/// Scores row by row with a pool of engines over one shared model. A <see cref="PredictionEngine{TSrc, TDst}"/> may be used by only one thread at a time and is expensive to create, so
/// each caller takes one from the pool and returns it.
/// </summary>
/// <param name="student">The model; the caller disposes it.</param>
/// <param name="convert">Converts a value of a request to the type that the student reads.</param>
/// <param name="instruments">Count the engines.</param>
internal sealed class EnginePool<T>(LoadedStudent student, Converter<float, T> convert, ScoringInstruments instruments) : IScorer
{
    // When all are in use, more engines are created, and disposed when they are returned.
    private readonly ObjectPool<Engine> _engines = new DefaultObjectPoolProvider { MaximumRetained = 2 * Environment.ProcessorCount }
        .Create(new Policy(student, instruments));

    public ValueTask<float[]> Score(float[] features)
    {
        var row = new Row<T> { Features = Array.ConvertAll(features, convert) };
        var engine = _engines.Get();
        float[] scores;
        try
        {
            scores = engine.Score(row);
        }
        catch
        {
            // The engine's state is unknown after an error.
            engine.Dispose();
            throw;
        }

        _engines.Return(engine);
        return ValueTask.FromResult(scores);
    }

    public ValueTask DisposeAsync()
    {
        (_engines as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class Policy(LoadedStudent student, ScoringInstruments instruments) : PooledObjectPolicy<Engine>
    {
        public override Engine Create() => new(student, instruments);

        public override bool Return(Engine engine) => true;
    }

    private sealed class Engine : IDisposable
    {
        private readonly PredictionEngine<Row<T>, Scored> _engine;
        private readonly ScoringInstruments _instruments;

        public Engine(LoadedStudent student, ScoringInstruments instruments)
        {
            // Otherwise disposing the engine would dispose the shared model.
            _engine = student.MLContext.Model.CreatePredictionEngine<Row<T>, Scored>(
                student.Model, new PredictionEngineOptions { InputSchemaDefinition = Row<T>.Schema(student.Features), OwnsTransformer = false });
            _instruments = instruments;
            _instruments.Engines.Add(1);
        }

        public float[] Score(Row<T> row)
        {
            _instruments.EnginesInUse.Add(1);
            try
            {
                return _engine.Predict(row).Score;
            }
            finally
            {
                _instruments.EnginesInUse.Add(-1);
            }
        }

        public void Dispose()
        {
            _engine.Dispose();
            _instruments.Engines.Add(-1);
        }
    }
}
