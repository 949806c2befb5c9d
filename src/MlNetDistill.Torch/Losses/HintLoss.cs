using MlNetDistill.Core;
using MlNetDistill.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// Mean over pairs of taps of mean (r(f_s) - f_t)²: hints (Romero et al. 2015, FitNets), the mean squared error of a regressed stage feature as
/// mdistiller (distillers/FitNet.py) and RepDistiller compute it. The paper takes half the sum per row, which differs by a factor.
/// </summary>
/// <remarks>
/// mdistiller and RepDistiller give it the weight 100 beside a cross-entropy of weight 1. The regressor r is mdistiller's ConvReg: convolution with
/// bias, batch normalization, ReLU; the ratio of the sizes decides stride and kernel. It is used only if the shapes differ. mdistiller has no
/// regressor for vectors, nor for a student's map that is smaller than the teacher's but not half its size: here these are a linear layer with
/// bias, and a 1×1 convolution compared with the average-pooled teacher.
/// </remarks>
public sealed class HintLoss : DistillationLoss
{
    /// <summary>The loss on these pairs of taps, for example <c>new HintLoss((1, 1))</c>.</summary>
    /// <param name="taps">Indices of the stage features, from 0: the student's and the teacher's.</param>
    public HintLoss(params (int Student, int Teacher)[] taps) => Taps = TapFeatures.Validate(taps, nameof(taps));

    /// <inheritdoc/>
    public override string Name => "hint";

    /// <inheritdoc/>
    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    /// <inheritdoc/>
    public override ModelOutputs StudentNeeds => ModelOutputs.StageFeatures;

    /// <summary>The pairs of taps.</summary>
    public IReadOnlyList<(int Student, int Teacher)> Taps { get; }

    /// <summary>Mean (student - teacher)² over all elements of one pair of stage features, a scalar.</summary>
    /// <param name="student">Regressed features of the student, B×….</param>
    /// <param name="teacher">Features of the teacher, of the same shape; a constant, no gradient flows to it.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Compute(Tensor student, Tensor teacher)
    {
        Guard.SameShape(student, teacher);
        return functional.mse_loss(student, teacher.detach());
    }

    /// <inheritdoc/>
    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator)
    {
        var regressors = new List<nn.Module<Tensor, Tensor>>();
        foreach (var (from, to) in TapFeatures.Select(Taps, student.StageFeatures, teacher.StageFeatures, this))
        {
            TapFeatures.CheckSameKind(from, to, this);
            if (from.AsSpan().SequenceEqual(to))
                continue;
            regressors.Add(from.Length == 1 ? FeatureAdapter.Linear(from[0], to[0], true, generator) : FeatureAdapter.Regressor(from, to, generator));
        }

        return regressors;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(int classes) => TapFeatures.WarningsOf(Taps, this);

    /// <inheritdoc/>
    public override Tensor Evaluate(LossInputs inputs)
    {
        var errors = new List<Tensor>();
        var used = 0;
        foreach (var (from, to) in TapFeatures.Select(Taps, inputs.Student.StageFeatures, inputs.Teacher.StageFeatures, this))
        {
            var (student, teacher) = (from, to);
            if (!TapFeatures.HaveSameShape(student, teacher))
                (student, teacher) = TapFeatures.PoolToSameSize(inputs.ProjectionsFor(this)[used++].call(student), teacher);
            errors.Add(inputs.Weights is null
                ? Compute(student, teacher)
                : inputs.Mean(StageFeatureLoss.ComputePerRow(student, teacher, FeatureReduction.Mean)));
        }

        return errors.Count == 1 ? errors[0] : errors.Aggregate((a, b) => a.Add(b)).DivideBy(errors.Count);
    }
}
