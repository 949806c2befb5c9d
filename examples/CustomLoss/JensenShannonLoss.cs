using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace CustomLoss;

/// <summary>
/// The Jensen-Shannon divergence of the softened outputs: T² · mean over rows of ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q) / 2. Unlike KD's it is
/// symmetric and bounded, so a single row that the teacher finds odd cannot dominate a batch.
/// </summary>
internal sealed class JensenShannonLoss(double temperature) : DistillationLoss
{
    public override string Name => "jensenShannon";

    public override OutputKinds TeacherNeeds => OutputKinds.Logits;

    public override Tensor Evaluate(LossInputs inputs)
    {
        var student = inputs.StudentLogProbabilities(temperature);
        var teacher = inputs.TeacherLogProbabilities(temperature);
        // Numbers are held by a variable: TorchSharp 0.107 does not keep the number of mul(2.0) alive during the native call, and a garbage
        // collection at that moment frees it. Even add(b) and a + b pass one, their factor 1; sub(b), and mul(b) with a tensor, do not.
        using var one = 1.0.ToScalar();
        using var logTwo = Math.Log(2).ToScalar();
        using var scale = (temperature * temperature / 2).ToScalar();
        // In logarithms, because a probability that rounds to 0 has none.
        var middle = logaddexp(student, teacher).sub(logTwo);
        var perRow = Divergence(student, middle).add(Divergence(teacher, middle), one);
        // Mean weighs the rows by their example weights where there are any.
        return inputs.Mean(perRow).mul(scale);
    }

    private static Tensor Divergence(Tensor logP, Tensor logQ) => logP.exp().mul(logP.sub(logQ)).sum(1);
}
