using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Cross-entropy that does something to its inputs first.</summary>
internal sealed class CarelessLoss(Action<LossInputs> harm, ModelOutputs reads) : DistillationLoss
{
    private readonly CrossEntropyLoss _loss = new();

    public override string Name => "careless";

    public override ModelOutputs TeacherNeeds => reads;

    public override bool NeedsLabels => true;

    public override Tensor Evaluate(LossInputs inputs)
    {
        var value = _loss.Evaluate(inputs);
        harm(inputs);
        return value;
    }
}

/// <summary>An augmentation given as a function.</summary>
internal sealed record CarelessChange(string Name, Func<Tensor, RowDraws, Tensor> Change) : FeatureAugmentation
{
    protected override Tensor Apply(Tensor features, RowDraws draws) => Change(features, draws);
}

/// <summary>Plain descent that does something to a parameter afterwards.</summary>
internal sealed record CarelessDescent(Action<ParameterState> Harm) : Optimizer(0.1)
{
    protected override void Update(OptimizerStep step)
    {
        foreach (var (parameter, gradient) in step.Gradients())
        {
            parameter.Value.sub_(gradient.MultiplyBy(step.LearningRate));
            Harm(parameter);
        }
    }
}
