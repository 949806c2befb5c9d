using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>The anchors of a route as the teacher of a single stage: each is used for an equal share of the epochs, in order.</summary>
internal sealed class SwitchingTeacher(IReadOnlyList<Anchor> anchors, int epochs) : StageTeacher
{
    private (IRowSource Set, ModelOutputs Wanted, Func<Tensor, int, Batch>? View) _stage;
    private int _current = -1;

    /// <summary>The shapes of the last anchor's outputs; the other anchors have the same shapes for the outputs that the loss reads.</summary>
    public override OutputShapes Shapes => anchors[^1].Teacher.Shapes;

    public override bool SupportsAugmentation => anchors.All(a => a.Teacher.SupportsAugmentation);

    internal override bool GivesDirections => Current.GivesDirections;

    internal override IEnumerable<StageTeacher> QueriedTeachers => anchors.Select(a => a.Teacher);

    // Before the first epoch, when a sampler computes clusters, the last anchor is used: it is the most accurate.
    private StageTeacher Current => anchors[_current < 0 ? anchors.Count - 1 : _current].Teacher;

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) => _stage = (set, wanted, view);

    /// <summary>The first epoch of an anchor, from 1.</summary>
    public int FirstEpochOf(int anchor) => Enumerable.Range(1, epochs).First(epoch => GetAnchorIndex(epoch) == anchor);

    public override void BeginEpoch(int epoch)
    {
        var index = GetAnchorIndex(epoch);
        if (index == _current)
            return;
        End();
        _current = index;
        Current.Begin(_stage.Set, _stage.Wanted, _stage.View);
    }

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => Current.Outputs(batch, wanted);

    public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) =>
        Current.LogProbabilities(batch, outputs, temperature);

    internal override Tensor? TryGetLogProbabilities(Batch batch, double temperature) => Current.TryGetLogProbabilities(batch, temperature);

    public override void End()
    {
        if (_current >= 0)
            Current.End();
        _current = -1;
    }

    private int GetAnchorIndex(int epoch) => (int)((long)(epoch - 1) * anchors.Count / epochs);
}
