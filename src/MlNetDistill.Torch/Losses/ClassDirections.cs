using MlNetDistill.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>One trained direction for each class: K×D weights without bias, from embeddings to their cosines with every class. Only the directions matter, not the lengths.</summary>
internal sealed class ClassDirections : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;

    public ClassDirections(int classes, int length, Generator generator)
        : this(WeightInitialization.Uniform(1 / Math.Sqrt(length), generator, classes, length))
    {
    }

    public ClassDirections(Parameter weight) : base("classDirections")
    {
        _weight = weight;
        RegisterComponents();
    }

    /// <summary>Embeddings, B×D, to cosines, B×K.</summary>
    public override Tensor forward(Tensor input) => AngularMarginLoss.Cosines(input, _weight);
}
