using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>How a student learns from its teacher: an immutable description that lays training out as a sequence of stages.</summary>
public abstract record DistillationMethod
{
    /// <summary>A short name for logs and tables.</summary>
    public abstract string Name { get; }

    /// <summary>What the method reads of the teacher; <see cref="OutputKinds.None"/> for none.</summary>
    public abstract OutputKinds TeacherNeeds { get; }

    /// <summary>Whether the method can learn from example weights.</summary>
    public virtual bool CanUseWeights => true;

    /// <summary>
    /// Knowledge distillation (Hinton et al. 2015): (1 - alpha) · cross-entropy + alpha · T² · KL(teacher ‖ student), both softened by T.
    /// The defaults are those of mdistiller's and RepDistiller's CIFAR-100 scripts.
    /// </summary>
    /// <remarks>
    /// T = 4 suits networks, whose wrong classes lie far apart in logits. Those of a one-versus-all forest do not, and T = 4 flattens its
    /// probabilities: on letter-recognition that cost the student 2.6 points of accuracy against training alone, T = 2 cost none. Try T on held-out rows.
    /// </remarks>
    /// <param name="temperature">Softening divisor T, above 0.</param>
    /// <param name="alpha">Share of the teacher's term, in [0, 1]; the rest is the labels'.</param>
    public static DistillationMethod Kd(double temperature = 4, double alpha = 0.9) => new KdMethod(temperature, alpha);

    /// <summary>The baseline every method is compared with: cross-entropy on the labels, no teacher.</summary>
    public static DistillationMethod LabelsOnly() => new LabelsOnlyMethod();

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    public virtual IEnumerable<string> Faults() => [];

    /// <summary>The stages of training, in order. The sequence is lazy: a later stage may depend on how an earlier one went.</summary>
    public abstract IEnumerable<Stage> Stages(MethodContext context);
}
