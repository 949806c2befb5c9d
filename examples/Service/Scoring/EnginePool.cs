using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;

namespace Service.Scoring;

/// <summary>
/// Engines over one shared model. A <see cref="PredictionEngine{TSrc, TDst}"/> may be used by one thread at a time and is dear to make, so each caller
/// borrows one.
/// </summary>
/// <param name="student">The model; it stays the caller's.</param>
/// <param name="convert">Makes a value as it comes into one that the student reads.</param>
/// <param name="instruments">Told of engines.</param>
internal sealed class EnginePool<T>(LoadedStudent student, Converter<float, T> convert, ScoringInstruments instruments) : IScorer, IDisposable
{
    // Engines beyond these are made when all are out, and disposed of when they come back.
    private readonly ObjectPool<Engine> _engines = new DefaultObjectPoolProvider { MaximumRetained = 2 * Environment.ProcessorCount }
        .Create(new Policy(student, instruments));

    public float[] Score(float[] features)
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
            // Nobody knows what state it is in.
            engine.Dispose();
            throw;
        }

        _engines.Return(engine);
        return scores;
    }

    public void Dispose() => (_engines as IDisposable)?.Dispose();

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
            // Its owner would dispose of the model that all share.
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
