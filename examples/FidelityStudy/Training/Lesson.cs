using FidelityStudy.Data;
using MlNetDistill;
using MlNetDistill.Data;
using MlNetDistill.Networks;

namespace FidelityStudy.Training;

/// <summary>How a student is taught.</summary>
internal sealed record Lesson
{
    public required NetworkSpec Student { get; init; }

    /// <summary>From whom it learns; null for the labels alone.</summary>
    public required Teacher? Teacher { get; init; }

    /// <summary>With whom it is compared.</summary>
    public required Instructor Compared { get; init; }

    /// <summary>What it learns from: the first of the training rows, or all.</summary>
    public required IReadOnlyList<StudyRow> Rows { get; init; }

    public required int Epochs { get; init; }

    /// <summary>Share of the teacher's term; 1 unless the labels matter, so that nothing else pulls at the student.</summary>
    public double Alpha { get; init; } = 1;

    public double Temperature { get; init; } = 4;

    public InitialWeights? InitialWeights { get; init; }

    public double LearningRate { get; init; } = 0.005;

    public IReadOnlyList<Augmentation> Augmentations { get; init; } = [];

    public MissingLabels MissingLabels { get; init; } = MissingLabels.Error;

    public LessonSettings Settings => new(Student.Name, Rows.Count, Epochs, Teacher is null ? 0 : Alpha, Temperature, LearningRate);
}

/// <summary>What of a lesson can be written down.</summary>
/// <param name="Student">The student's network.</param>
/// <param name="Rows">Number of rows that it learns from.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="Alpha">Share of the teacher's term; 0 for labels alone.</param>
/// <param name="Temperature">Temperature of the teacher's term.</param>
/// <param name="LearningRate">Highest learning rate.</param>
internal sealed record LessonSettings(string Student, int Rows, int Epochs, double Alpha, double Temperature, double LearningRate);

/// <summary>One thing that is tried.</summary>
/// <param name="Question">What it is to tell.</param>
/// <param name="Name">It, in the table.</param>
/// <param name="Lesson">How its student is taught in a repetition of the study.</param>
/// <param name="Against">Name of the trial that it is held against.</param>
internal sealed record Trial(string Question, string Name, Func<Repetition, Lesson> Lesson, string Against = Questions.Baseline);
