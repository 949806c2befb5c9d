using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>The cross-entropy times a factor.</summary>
/// <param name="factor">The factor of the next step.</param>
/// <param name="untrained">What it says an untrained student loses.</param>
internal sealed class ScaledLoss(Func<double> factor, double? untrained = null) : DistillationLoss
{
    public override string Name => "scaled";

    public override ModelOutputs TeacherNeeds => ModelOutputs.None;

    public override Tensor Evaluate(LossInputs inputs) =>
        nn.functional.cross_entropy(inputs.Student.Logits, inputs.Labels).MultiplyBy(factor());

    internal override double? UntrainedValue(int classes) => untrained;
}
