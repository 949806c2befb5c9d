using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Knows the line between the two classes: a rule, no model.</summary>
internal sealed class LineTeacher(IReadOnlyList<string>? classNames = null, Func<Tensor, Tensor>? spoil = null, int classes = 2, bool supportsAugmentation = false, Action<Batch>? afterwards = null,
    Action<IRowSource>? prepared = null)
    : CustomTeacher("the line", classNames: classNames, supportsAugmentation: supportsAugmentation, cacheKey: "line 1")
{
    /// <summary>Rows that it was asked about.</summary>
    public long Rows { get; private set; }

    /// <summary>What it was told of the fit.</summary>
    public TeacherContext? Context { get; private set; }

    protected override StageTeacher Prepare(TeacherContext context)
    {
        Context = context;
        prepared?.Invoke(context.Set);
        return new Answers(this);
    }

    private sealed class Answers(LineTeacher teacher) : StageTeacher
    {
        private readonly string[] _order = [.. teacher.ClassNames];

        public override OutputShapes Shapes { get; } = new(teacher.LogitCount);

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
        {
            teacher.Rows += batch.Positions.shape[0];
            var above = batch.Features.sum(1);
            var logits = stack([.. _order.Select(name => name == "above" ? above : above.neg())], 1);
            var output = new NetworkOutput(teacher.Spoiled(logits));
            teacher.After(batch);
            return output;
        }
    }

    private int LogitCount => classes;

    private IReadOnlyList<string>? Named { get; } = classNames;

    private IReadOnlyList<string> ClassNames => Named ?? Context!.ClassNames!;

    private void After(Batch batch) => afterwards?.Invoke(batch);

    private Tensor Spoiled(Tensor logits) => spoil is null ? logits : spoil(logits);
}
