using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace CustomLoss;

/// <summary>
/// The Jensen-Shannon divergence of the softened outputs: T² · mean over rows of ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q) / 2. Unlike KD's it is
/// symmetric and bounded, so a single row that is unusual for the teacher cannot dominate a batch.
/// </summary>
internal sealed class JensenShannonLoss(double temperature) : DistillationLoss
{
    public override string Name => "jensenShannon";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = inputs.StudentLogProbabilities(temperature);
        var teacher = inputs.TeacherLogProbabilities(temperature);
        // In logarithms, because a probability that is rounded to 0 has none. Add and MultiplyBy instead of + and *: in TorchSharp 0.107 the number in
        // mul(2.0), or the factor 1 of add(b), can be freed during the native call.
        var middle = logaddexp(student, teacher).Add(-Math.Log(2));
        var perRow = Divergence(student, middle).Add(Divergence(teacher, middle));
        // Mean weighs the rows by their example weights where there are any.
        return inputs.Mean(perRow).MultiplyBy(temperature * temperature / 2);
    }

    private static Tensor Divergence(Tensor logP, Tensor logQ) => logP.exp().mul(logP.sub(logQ)).sum(1);
}
