using FidelityStudy.Data;
using MlNetDistill;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>How a student is trained.</summary>
internal sealed record TrainingSetup
{
    public required NetworkSpec Student { get; init; }

    /// <summary>Its teacher; null for the labels alone.</summary>
    public required Teacher? Teacher { get; init; }

    /// <summary>The teacher that it is compared with.</summary>
    public required ScoredTeacher Compared { get; init; }

    /// <summary>Its training rows: the first of all training rows, or all.</summary>
    public required IReadOnlyList<StudyRow> Rows { get; init; }

    public required int Epochs { get; init; }

    /// <summary>The teacher's share of the loss; 1 unless the labels matter, so that the student learns only from its teacher.</summary>
    public double Alpha { get; init; } = 1;

    public double Temperature { get; init; } = 4;

    /// <summary>The part of the teacher's knowledge that is taught; null for all of it.</summary>
    public TeacherTargets? Targets { get; init; }

    public InitialWeights? InitialWeights { get; init; }

    public double LearningRate { get; init; } = 0.005;

    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    public MissingLabels MissingLabels { get; init; } = MissingLabels.Error;

    public TrainingSettings Settings => new(Student.Name, Rows.Count, Epochs, Teacher is null && Targets is null ? 0 : Alpha, Temperature, LearningRate);
}

/// <summary>The settings of a setup, for the results file.</summary>
/// <param name="Student">The student's network.</param>
/// <param name="Rows">Number of rows that it learns from.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="Alpha">The teacher's share of the loss; 0 for labels alone.</param>
/// <param name="Temperature">Temperature of KD.</param>
/// <param name="LearningRate">Highest learning rate.</param>
internal sealed record TrainingSettings(string Student, int Rows, int Epochs, double Alpha, double Temperature, double LearningRate);

/// <summary>One trial of the study.</summary>
/// <param name="Question">The question that it answers.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="CreateSetup">How its student is trained in a repetition of the study.</param>
/// <param name="Against">Name of the trial that it is compared with.</param>
/// <param name="IsDiagnosed">Whether the rescaling of gradients is computed for its student.</param>
internal sealed record Trial(
    string Question, string Name, Func<Repetition, TrainingSetup> CreateSetup, string Against = Questions.Baseline, bool IsDiagnosed = false);
