using MlNetDistill.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Losses;

/// <summary>
/// A trained projection of a student's stage feature to the shape of a teacher's: a linear layer for vectors, a convolution with batch
/// normalization for maps. Initialized as in PyTorch, from the given generator.
/// </summary>
internal sealed class FeatureAdapter : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly BatchNormalization? _normalization;
    private readonly ConvolutionForm _form;

    private FeatureAdapter(Parameter weight, Parameter? bias, BatchNormalization? normalization, ConvolutionForm form) : base("adapter")
    {
        _weight = weight;
        _bias = bias;
        _normalization = normalization;
        _form = form;
        RegisterComponents();
    }

    /// <summary>A linear layer for vectors: x·Wᵀ, or x·Wᵀ + b with <paramref name="bias"/>.</summary>
    public static FeatureAdapter Linear(long inputs, long outputs, bool bias, Generator generator)
    {
        var bound = 1 / Math.Sqrt(inputs);
        return new FeatureAdapter(
            WeightInitialization.Uniform(bound, generator, outputs, inputs), bias ? WeightInitialization.Uniform(bound, generator, outputs) : null, null, default);
    }

    /// <summary>A 1×1 convolution without bias, then batch normalization; maps keep their size.</summary>
    public static FeatureAdapter Pointwise(long inputs, long outputs, Generator generator) => new(
        WeightInitialization.Uniform(1 / Math.Sqrt(inputs), generator, outputs, inputs, 1, 1), null, new BatchNormalization((int)outputs), new ConvolutionForm(1, 0, false, false));

    /// <summary>
    /// FitNet's regressor as mdistiller builds it (ConvReg): convolution with bias, batch normalization, ReLU. To half the size: 3×3 at stride 2; to
    /// twice the size: transposed 4×4 at stride 2; to any other smaller size: a convolution without padding. For sizes that mdistiller does not
    /// support: 1×1.
    /// </summary>
    /// <param name="student">[C, H, W] of the student's map.</param>
    /// <param name="teacher">[C, H, W] of the teacher's map.</param>
    /// <param name="generator">Draws the initial weights.</param>
    public static FeatureAdapter Regressor(long[] student, long[] teacher, Generator generator)
    {
        var (inputs, outputs) = (student[0], teacher[0]);
        if (student[1] == 2 * teacher[1] && student[2] == 2 * teacher[2])
            return Regressor(inputs, outputs, 3, 3, new ConvolutionForm(2, 1, false, true), generator);
        if (2 * student[1] == teacher[1] && 2 * student[2] == teacher[2])
            return Regressor(inputs, outputs, 4, 4, new ConvolutionForm(2, 1, true, true), generator);
        var fits = student[1] >= teacher[1] && student[2] >= teacher[2];
        var (height, width) = fits ? (1 + student[1] - teacher[1], 1 + student[2] - teacher[2]) : (1, 1);
        return Regressor(inputs, outputs, height, width, new ConvolutionForm(1, 0, false, true), generator);
    }

    public override Tensor forward(Tensor input)
    {
        if (_normalization is null)
            return functional.linear(input, _weight, _bias);
        var mapped = _form.Transposed
            ? functional.conv_transpose2d(input, _weight, _bias, _form.Strides, _form.Paddings)
            : functional.conv2d(input, _weight, _bias, _form.Strides, _form.Paddings);
        var normalized = _normalization.forward(mapped);
        return _form.Relu ? normalized.relu() : normalized;
    }

    private static FeatureAdapter Regressor(long inputs, long outputs, long height, long width, ConvolutionForm form, Generator generator)
    {
        // PyTorch computes the fan-in from the second axis of the weights, which is the output axis of a transposed convolution.
        var fanIn = form.Transposed ? outputs : inputs;
        var bound = 1 / Math.Sqrt(fanIn * height * width);
        var weight = form.Transposed
            ? WeightInitialization.Uniform(bound, generator, inputs, outputs, height, width)
            : WeightInitialization.Uniform(bound, generator, outputs, inputs, height, width);
        return new FeatureAdapter(weight, WeightInitialization.Uniform(bound, generator, outputs), new BatchNormalization((int)outputs), form);
    }

    private readonly record struct ConvolutionForm(long Stride, long Padding, bool Transposed, bool Relu)
    {
        public long[] Strides => [Stride, Stride];

        public long[] Paddings => [Padding, Padding];
    }
}
