namespace MlNetDistill;

/// <summary>The numbers in which a student's weights are stored and its layers computed.</summary>
public enum StudentPrecision
{
    /// <summary>32-bit floats, as trained.</summary>
    Float32,

    /// <summary>
    /// Weights are stored as 16-bit floats, which halves the file, and become 32-bit floats when the model is loaded: memory and time are those of <see cref="Float32"/>.
    /// </summary>
    Float16,

    /// <summary>
    /// Weights are stored as bytes, a quarter of <see cref="Float32"/>, and layers are computed with integers where ONNX Runtime can. Calibration rows give the ranges of the values between
    /// layers.
    /// </summary>
    Int8,
}
