using MlNetDistill.Core;

namespace MlNetDistill.Methods;

/// <summary>Settings of knowledge distillation where none are given; docs/training.md has the measurements.</summary>
/// <param name="Temperature">Softening divisor T, above 0.</param>
/// <param name="Alpha">Share of the teacher's term, in [0, 1]; the rest is the labels'.</param>
public sealed record KdDefaults(double Temperature, double Alpha)
{
    /// <summary>Both, in a line.</summary>
    public override string ToString() => SettingText.Describe(this);

    /// <summary>What a setting that was not given says before the teacher is known.</summary>
    internal const string Text = "by the teacher";

    /// <summary>For networks that learn from a network's logits for images: those of the CIFAR-100 scripts of mdistiller and RepDistiller.</summary>
    public static KdDefaults ForImages { get; } = new(4, 0.9);

    /// <summary>For everything else: students that read vectors, and teachers that give probabilities, such as forests and other ML.NET models.</summary>
    public static KdDefaults ForVectors { get; } = new(1, 0.5);
}
