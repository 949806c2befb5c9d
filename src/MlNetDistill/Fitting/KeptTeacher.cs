using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>A teacher for many trainings over the same rows: the end of a training does not release its outputs, so it is queried once for all.</summary>
internal sealed class KeptTeacher(StageTeacher inner) : StageTeacher
{
    public override OutputShapes Shapes => inner.Shapes;

    public override bool SupportsAugmentation => inner.SupportsAugmentation;

    internal override bool CanBeTrained => inner.CanBeTrained;

    internal override TrainableTeacher CreateTrainableCopy() => inner.CreateTrainableCopy();

    internal override bool NeedsPassPerQuery => inner.NeedsPassPerQuery;

    internal override bool HasCachedOutputs => inner.HasCachedOutputs;

    internal override TimeSpan TimeOnUnqueriedRows => inner.TimeOnUnqueriedRows;

    internal override IEnumerable<StageTeacher> QueriedTeachers => inner.QueriedTeachers;

    internal override LastLayer? GetLastLayer() => inner.GetLastLayer();

    internal override bool SharesPreview => inner.SharesPreview;

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => inner.Outputs(batch, wanted);

    public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) => inner.LogProbabilities(batch, outputs, temperature);

    internal override Tensor? TryGetLogProbabilities(Batch batch, double temperature) => inner.TryGetLogProbabilities(batch, temperature);

    internal override void BeginPreview(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) => inner.BeginPreview(set, wanted, view);

    internal override void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) => inner.DecideScores(set, wanted, view);

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) => inner.Begin(set, wanted, view);

    public override void BeginEpoch(int epoch) => inner.BeginEpoch(epoch);
}
