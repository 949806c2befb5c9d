using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What is wrong with a step.</summary>
internal enum Fault
{
    /// <summary>The loss is NaN.</summary>
    Loss,

    /// <summary>The loss is finite, and its gradient is NaN.</summary>
    Gradient,

    /// <summary>The gradient is about 1e25: finite, and its square is not a 32-bit float.</summary>
    HugeGradient,
}

/// <summary>Trains a student with steps that fail, and keeps the rows and the student before each step.</summary>
internal sealed class FaultyRun : IDisposable
{
    /// <summary>Batches of 8 out of 48 rows.</summary>
    public const int BatchesPerEpoch = 6;

    private readonly InMemoryRows _set = Toy.Clouds(rows: 48);

    public FaultyRun(NetworkSpec? spec = null) => Network = Runs.Student(spec ?? NetworkSpec.Mlp(6), _set);

    public Network Network { get; }

    /// <summary>The fault of a step, given its number from 1, steps that are taken again included, and its rows.</summary>
    public Func<int, long[], Fault?> FaultAt { get; init; } = (_, _) => null;

    /// <summary>The step, from 1, whose loss is multiplied by 0, so that it has no gradient.</summary>
    public int? EmptyStep { get; init; }

    public Optimizer Optimizer { get; init; } = Optimizer.Sgd(0.05, 0, nesterov: false, 0);

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant();

    /// <summary>Batches of 8 rows, 6 an epoch, that <see cref="FaultAt"/> counts.</summary>
    public MlNetDistill.Data.Sampler Sampler { get; init; } = new ShuffledSampler(8);

    public CancellationToken Cancellation { get; init; }

    public List<string> Warnings { get; } = [];

    public List<TrainingProgress> Reports { get; } = [];

    /// <summary>The positions of each step's rows.</summary>
    public List<long[]> Rows { get; } = [];

    /// <summary>The student before each step.</summary>
    public List<double[]> Before { get; } = [];

    public IRowSource Set => _set;

    public FaultyRun Train(int epochs = 3, NonFiniteHandling? handling = null, double? clipping = null, bool defers = false, bool measures = false)
    {
        Runs.Train(Network, _set, Runs.Stage(epochs, new FaultyLoss(this), optimizer: Optimizer, schedule: Schedule) with { Sampler = Sampler }, settings: new LoopSettings
        {
            GradientClipping = clipping,
            OnNonFinite = handling ?? NonFiniteHandling.Stop,
            DefersChecks = defers,
            CancellationToken = Cancellation,
            OnCancellation = CancellationBehavior.ReturnBest,
            MeasureTraining = measures,
            Warn = Warnings.Add,
            Report = Reports.Add,
            View = (positions, _) =>
            {
                Rows.Add(positions.data<long>().ToArray());
                Before.Add(Runs.State(Network));
                return Batch.Gather(_set, positions);
            },
        });
        return this;
    }

    /// <summary>The ids of the rows of a step.</summary>
    public IEnumerable<RowId> IdsOf(int step) => Rows[step - 1].Select(position => _set.RowIds[position]);

    public void Dispose()
    {
        Network.Dispose();
        _set.Dispose();
    }

    private sealed class FaultyLoss(FaultyRun run) : DistillationLoss
    {
        public override string Name => "faulty";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs)
        {
            var logits = inputs.Student.Logits;
            var loss = nn.functional.cross_entropy(logits, inputs.Labels);
            var step = run.Rows.Count;
            return run.FaultAt(step, run.Rows[^1]) switch
            {
                Fault.Loss => loss.MultiplyBy(double.NaN),
                // The root of 0 has an infinite slope.
                Fault.Gradient => loss.Add(logits.MultiplyBy(0).sum().sqrt()),
                Fault.HugeGradient => loss.MultiplyBy(1e25),
                _ => loss.MultiplyBy(step == run.EmptyStep ? 0 : 1),
            };
        }
    }
}
